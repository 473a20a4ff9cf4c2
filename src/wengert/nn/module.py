"""Modules: parameters and sub-modules by name, and the call that records both as scopes on nodes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from wengert.core.display import Displayed
from wengert.core.errors import DTypeError, StateError, WengertError
from wengert.core.mode import MODE
from wengert.core.node import Leaf
from wengert.core.tensor import Tensor, wrap

M = TypeVar("M", bound="Module")
Hook = Callable[..., Any]


class RemovableHandle:
    """Takes a hook away again; as a context manager, at the end of the block."""

    def __init__(self, hooks: dict[int, Hook], hook: Hook) -> None:
        self._hooks = hooks
        self._key = max(hooks, default=-1) + 1
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Parameter(Tensor, eager=True):
    """A leaf tensor that a module trains. Assigned to a module's attribute, it joins ``module.parameters()``."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data)
        if requires_grad:
            self.requires_grad_()

    def __repr__(self) -> str:
        return f"Parameter containing:\n{wrap(self._value)!r}"


class Module(Displayed):
    """Base class of everything with parameters: set attributes in ``__init__``, write ``forward``.

    Calling the module runs ``forward`` inside a scope of the module's name, so that every node built there knows which
    module made it (``Net.hidden.0``).

    >>> import wengert as wg
    >>> class Net(wg.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = wg.nn.Linear(4, 8)
    ...         self.out = wg.nn.Linear(8, 1)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> [name for name, _ in Net().named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    """

    training: bool
    #: Hooks before and after ``forward``; most modules have none.
    _hooks: tuple[dict[int, Hook], dict[int, Hook]] | None = None

    def __init__(self) -> None:
        store = self.__dict__
        store["training"] = True
        store["_parameters"] = OrderedDict()
        store["_buffers"] = OrderedDict()
        store["_modules"] = OrderedDict()
        store["_scope"] = type(self).__name__

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; subclasses write it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        mode = MODE.get()
        name = self._scope
        token = MODE.set(mode.within(name))
        try:
            return self.forward(*args, **kwargs) if self._hooks is None else self._hooked(self._hooks, args, kwargs)
        finally:
            MODE.reset(token)

    def _hooked(self, hooks: tuple[dict[int, Hook], dict[int, Hook]], args: tuple[Any, ...], kwargs: Any) -> Any:
        for hook in list(hooks[0].values()):
            replaced = hook(self, args)
            if replaced is not None:
                args = replaced if isinstance(replaced, tuple) else (replaced,)
        out = self.forward(*args, **kwargs)
        for hook in list(hooks[1].values()):
            replaced = hook(self, args, out)
            out = out if replaced is None else replaced
        return out

    def register_forward_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns, unless ``None``, takes the arguments' place.

        Returns a handle whose ``remove()`` takes the hook away again.
        """
        return self._register(hook, 0)

    def register_forward_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns, unless ``None``, is the output."""
        return self._register(hook, 1)

    def _register(self, hook: Hook, place: int) -> RemovableHandle:
        if self._hooks is None:
            self.__dict__["_hooks"] = ({}, {})
        assert self._hooks is not None
        return RemovableHandle(self._hooks[place], hook)

    # -- attributes ---------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        store = self.__dict__
        if "_parameters" not in store:
            raise WengertError(f"call super().__init__() in {type(self).__name__}.__init__ before setting {name!r}")
        for kind in ("_parameters", "_buffers", "_modules"):
            if name in store[kind] and not isinstance(value, (Parameter, Module)):
                if value is None or (kind == "_buffers" and isinstance(value, Tensor)):
                    store[kind][name] = value
                    return
                raise DTypeError(f"cannot assign a {type(value).__name__} to {name!r}, which is one of {kind[1:]}")
        if isinstance(value, Parameter):
            self._forget(name, keeping="_parameters")
            store["_parameters"][name] = value
            _label(value, name)
        elif isinstance(value, Module):
            self._forget(name, keeping="_modules")
            store["_modules"][name] = value
            value._enter(self._scope_of(name))
            for path, parameter in value.named_parameters():
                _label(parameter, f"{name}.{path}")
        else:
            object.__setattr__(self, name, value)

    def _scope_of(self, name: str) -> str:
        """The scope in which a child of that name runs, within this module's own."""
        return name

    def _enter(self, scope: str) -> None:
        """Take the scope that the parent gives."""
        self.__dict__["_scope"] = scope

    def __getattr__(self, name: str) -> Any:
        for kind in ("_parameters", "_buffers", "_modules"):
            found = self.__dict__.get(kind, {})
            if name in found:
                return found[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        if not self._forget(name):
            object.__delattr__(self, name)

    def _forget(self, name: str, keeping: str = "") -> bool:
        """Remove a name from every store, or from all but one, where what replaces it keeps its place in the order."""
        found = False
        own = self.__dict__
        for store in (own, *(own[kind] for kind in ("_parameters", "_buffers", "_modules") if kind != keeping)):
            if name in store:
                del store[name]
                found = True
        return found

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Add a parameter (or the place for one) under a name that is computed."""
        if parameter is None:
            self._parameters[name] = None
        else:
            setattr(self, name, parameter)

    def register_buffer(self, name: str, value: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained (running statistics)."""
        self._forget(name)
        self._buffers[name] = value

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a sub-module under a name that is computed."""
        if module is None:
            self._modules[name] = None
        else:
            setattr(self, name, module)

    register_module = add_module

    # -- walking ------------------------------------------------------------------------------------------------

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, with dotted names; each once."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            children = [(name, child) for name, child in module._modules.items() if child is not None]
            stack += [(f"{path}.{name}" if path else name, child) for name, child in reversed(children)]

    def modules(self) -> Iterator[Module]:
        """This module and all inside it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside this one, with their names."""
        return ((name, child) for name, child in self._modules.items() if child is not None)

    def children(self) -> Iterator[Module]:
        """The modules directly inside this one."""
        return (child for _, child in self.named_children())

    def _named(self, kind: str, prefix: str) -> Iterator[tuple[str, Tensor]]:
        seen: set[int] = set()
        for path, module in self.named_modules(prefix):
            for name, value in module.__dict__[kind].items():
                if value is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Every parameter once, with its dotted name."""
        if recurse:
            return self._named("_parameters", prefix)
        return iter([(name, value) for name, value in self._parameters.items() if value is not None])

    def parameters(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every parameter once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """State that is saved and not trained, such as running means, with dotted names; each tensor once."""
        return self._named("_buffers", prefix)

    def buffers(self) -> Iterator[Tensor]:
        """State that is saved and not trained, each tensor once."""
        return (buffer for _, buffer in self.named_buffers())

    def get_submodule(self, path: str) -> Module:
        """The module at a dotted path; the empty path is this one."""
        module: Module = self
        for name in path.split(".") if path else []:
            if name not in module._modules:
                raise AttributeError(f"{type(module).__name__} has no sub-module {name!r} (looking for {path!r})")
            module = module._modules[name]
        return module

    def apply(self: M, function: Callable[[Module], None]) -> M:
        """Call ``function`` on every module, innermost first."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    # -- state --------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """Every parameter and buffer by dotted name, detached. Values never change in place, so this is a snapshot."""
        entries = [*self.named_parameters(), *self.named_buffers()]
        return {name: wrap(value._value) for name, value in entries}

    def load_state_dict(self, state: dict[str, Any], strict: bool = True) -> None:
        """Set parameters and buffers from a ``state_dict``.

        Everything is checked before anything is set: a missing or unexpected name (with ``strict``), or a wrong shape,
        raises ``StateError`` and leaves the module as it was. Values are cast to the parameter's dtype.
        """
        own = dict([*self.named_parameters(), *self.named_buffers()])
        problems = []
        if strict:
            problems += [f"missing: {name}" for name in own if name not in state]
            problems += [f"unexpected: {name}" for name in state if name not in own]
        values = {}
        for name, value in state.items():
            if name not in own:
                continue
            array = value._value if isinstance(value, Tensor) else np.asarray(value)
            if array.shape != own[name].shape:
                problems.append(f"{name}: shape {array.shape} in the state, {own[name].shape} in the module")
            elif array.dtype.kind not in "biufc" or (array.dtype.kind == "c" and own[name].dtype.kind != "c"):
                problems.append(f"{name}: dtype {array.dtype} in the state, {own[name].dtype} in the module")
            else:
                values[name] = array.astype(own[name].dtype)
        if problems:
            raise StateError(f"load_state_dict on {type(self).__name__}: " + "; ".join(problems))
        for name, array in values.items():
            own[name]._value = array

    # -- switches -----------------------------------------------------------------------------------------------

    def train(self: M, mode: bool = True) -> M:
        """Training mode for this module and all below it (dropout active, batch statistics used)."""
        for module in self.modules():
            module.__dict__["training"] = bool(mode)
        return self

    def eval(self: M) -> M:
        """Evaluation mode."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Track, or freeze, every parameter."""
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(requires_grad)
            _label(parameter, name)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of every parameter."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad = None if set_to_none else wrap(np.zeros(parameter.shape, parameter.dtype))

    def to(self: M, dtype: Any) -> M:
        """Cast every floating-point parameter and buffer, in place; gradients are dropped."""
        target = np.dtype(dtype)
        if target.kind not in "fc":
            raise DTypeError(f"Module.to takes a floating-point dtype, not {target}")
        for name, value in [*self.named_parameters(), *self.named_buffers()]:
            if value.dtype.kind in "fc" and value.dtype != target:
                tracked = value._node is not None
                value._node = None
                value._value = value._value.astype(target)
                if tracked:
                    value.requires_grad_()
                    _label(value, name)
        return self

    def float(self: M) -> M:
        """Cast to float32."""
        return self.to("float32")

    def double(self: M) -> M:
        """Cast to float64."""
        return self.to("float64")

    # -- text ---------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the parentheses of the text form."""
        return ""

    def __repr__(self) -> str:
        children = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self._modules.items()]
        inside = self.extra_repr()
        if not children:
            return f"{type(self).__name__}({inside})"
        return "\n".join([f"{type(self).__name__}({inside}", *children, ")"])


def _label(parameter: Tensor, name: str) -> None:
    if isinstance(parameter._node, Leaf):
        parameter._node.label = name


def functional_call(module: Module, parameters: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """Call ``module`` with other tensors in the places of its parameters and buffers, by dotted name.

    The tensors keep their own graph, so gradients flow to whatever they were computed from: this is how a model becomes
    a function of its parameters (MAML, ``hessian`` of a loss). The module is left as it was, also after an error.
    """
    places: list[tuple[dict[str, Any], str, Any]] = []
    own = {name for name, _ in [*module.named_parameters(), *module.named_buffers()]}
    unknown = set(parameters) - own
    if unknown:
        raise StateError(f"functional_call: {type(module).__name__} has no parameter named {sorted(unknown)}")
    try:
        for path, value in parameters.items():
            owner_path, _, name = path.rpartition(".")
            owner = module.get_submodule(owner_path)
            store = owner._parameters if name in owner._parameters else owner._buffers
            places.append((store, name, store[name]))
            store[name] = value if isinstance(value, Tensor) else Tensor(value)
        return module(*args, **kwargs)
    finally:
        for store, name, before in reversed(places):
            store[name] = before
