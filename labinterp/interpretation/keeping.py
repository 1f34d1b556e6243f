"""Keeps what follows from the knowledge alone: worked out once, not for each panel.

What is kept is found by the very objects it was made of, never by what they are called: another
knowledge with the same names has its own. The objects are held together with what was made of them,
so that an identity cannot pass on to a newer object. Room is bounded; when it is full, all of it is
let go and made anew as it is asked for.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Given = ParamSpec("Given")
Made = TypeVar("Made")


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

        @wraps(function)
        def keeping(*given: Any) -> Made:
            key = (*map(id, given[:identical]), *given[identical:])
            found = made.get(key)
            if found is not None:
                return found[1]
            if len(made) >= most:
                made.clear()
            answer = function(*given)  # type: ignore[call-arg] # positional only, as its callers do
            made[key] = (given[:identical], answer)
            return answer

        keeping.cache_clear = made.clear  # type: ignore[attr-defined] # as functools names it
        return keeping  # type: ignore[return-value] # positional only, as its callers do

    return decorate
