"""Keeps what follows from the knowledge, or from one reading of it, so that it is made once.

What is kept is found by the very objects it was made of, never by what they are called: another
knowledge with the same names has its own. The objects are held together with what was made of them,
so that an identity cannot pass on to a newer object. Room is bounded; when it is full, all of it is
let go and made anew as it is asked for. Nothing that says who a patient is comes here: the core
does not know it.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

Given = ParamSpec("Given")
Made = TypeVar("Made")


_INDEX: Final = 8
"""What there is so little room for is about a whole knowledge, and always kept."""


_KEYS: Final[dict[int, Callable[..., tuple[Any, ...]]]] = {
    1: lambda a, *more: (id(a), *more),
    2: lambda a, b, *more: (id(a), id(b), *more),
    3: lambda a, b, c, *more: (id(a), id(b), id(c), *more),
    4: lambda a, b, c, d, *more: (id(a), id(b), id(c), id(d), *more),
}
"""How many first arguments are found by their identity; written out, for all else waits for it."""


class _Switch:
    """Whether anything is kept."""

    on = True


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Within, everything is worked out for each panel alone: how the quick way is checked."""
    _Switch.on = False
    try:
        yield
    finally:
        _Switch.on = True


class Kept(Generic[Made]):
    """A bounded store of what was made."""

    __slots__ = ("_made", "_most")

    def __init__(self, most: int) -> None:
        """Empty, with room for so many."""
        self._made: dict[Hashable, tuple[object, Made]] = {}
        self._most = most

    def get(self, key: Hashable) -> Made | None:
        """What was made under this key, or None."""
        found = self._made.get(key)
        return found[1] if found is not None and _Switch.on else None

    def put(self, key: Hashable, held: object, made: Made) -> Made:
        """Keep what was made.

        Args:
            key: may hold identities of objects.
            held: those objects, which live as long as what was made of them.
            made: what is kept.
        """
        if len(self._made) >= self._most:
            self._made.clear()
        self._made[key] = (held, made)
        return made

    def cache_clear(self) -> None:
        """Let all of it go."""
        self._made.clear()


def kept(
    identical: int = 1, most: int = 20_000
) -> Callable[[Callable[Given, Made]], Callable[Given, Made]]:
    """Keep what a function made of its arguments; an exception is not kept.

    Args:
        identical: so many first arguments count as the same only if they are the same object; the
            rest are compared, and must be texts, numbers of which only the amount matters, or
            tuples of such.
        most: how many answers there is room for.
    """

    def decorate(function: Callable[Given, Made]) -> Callable[Given, Made]:
        made: dict[Any, tuple[Any, Made]] = {}

        key_of = _KEYS[identical]

        @wraps(function)
        def keeping(*given: Any) -> Made:
            key = key_of(*given)
            found = made.get(key)
            if found is not None and (_Switch.on or most <= _INDEX):
                return found[1]
            if len(made) >= most:
                made.clear()
            answer = function(*given)  # type: ignore[call-arg] # positional only, as its callers do
            made[key] = (given[:identical], answer)
            return answer

        keeping.cache_clear = made.clear  # type: ignore[attr-defined] # as functools names it
        return keeping  # type: ignore[return-value] # positional only, as its callers do

    return decorate
