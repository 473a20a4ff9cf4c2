"""The laws every operation obeys, public so that users can test their own."""

from wengert.testing.laws import LAWS as LAWS
from wengert.testing.laws import Case as Case
from wengert.testing.laws import LawError as LawError
from wengert.testing.laws import check_law as check_law
