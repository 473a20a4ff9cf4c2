"""Graphs as values for the user: traced from functions, or built with placeholders and run with a feed."""

from wengert.static.graph import Graph as Graph
from wengert.static.graph import trace as trace
from wengert.static.session import Session as Session
from wengert.static.session import placeholder as placeholder
from wengert.static.session import variable as variable
