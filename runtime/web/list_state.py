"""The state of a list, as its address says it: view, filters, sort, columns, search and page.

Everything a person sets on a list is in the URL, so that it can be kept, sent and gone back to. The words are short
(``q``, ``f``, ``sort``, ``cols``, ``view``, ``after``); a filter is ``f=path:operator:value``. Whether a path exists
and may be used is the facade's decision, not this module's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import QueryParams

from engine.problems import Refused, problem
from runtime.facade.list_views import ListRequest
from runtime.web.links import Links

BETWEEN = "between"
LONGEST_SEARCH = 100
MOST_FILTERS = 20
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListState:
    """One address of a list, taken apart. Filters are (path, operator, raw value)."""

    view: str = ""
    search: str = ""
    tag: str = ""
    sort: str = ""
    columns: tuple[str, ...] = ()
    filters: tuple[tuple[str, str, str], ...] = ()
    after: str = ""

    def request(self, limit: int = PAGE_SIZE) -> ListRequest:
        """What to ask of the facade."""
        return ListRequest(
            columns=self.columns,
            filters=self.filters,
            view=self.view,
            sort=self.sort,
            search=self.search,
            tag=self.tag,
            after=self.after,
            limit=limit,
        )

    def query(self) -> dict[str, Any]:
        """The words of the address."""
        return {
            "view": self.view,
            "q": self.search,
            "tag": self.tag,
            "sort": self.sort,
            "cols": ",".join(self.columns),
            "f": tuple(":".join(one) for one in self.filters),
            "after": self.after,
        }

    def pairs(self, *without: str) -> tuple[tuple[str, str], ...]:
        """The state as hidden inputs of a form, some words left out; a new page always starts at its top."""
        return tuple(
            (name, one)
            for name, value in self.query().items()
            if name not in {"after", *without}
            for one in (value if isinstance(value, tuple) else (value,))
            if one
        )

    def changed(self, **changes: Any) -> ListState:
        """The state with something changed; unless the page itself is, the list starts at its top again."""
        return replace(self, **{"after": "", **changes})

    def without_filter(self, place: int) -> ListState:
        """The state without its ``place``-th filter."""
        return self.changed(filters=self.filters[:place] + self.filters[place + 1 :])

    def sorted_by(self, path: str, current: str) -> ListState:
        """What a click on the head of ``path`` leads to: ascending, descending, and so on."""
        return self.changed(sort=f"-{path}" if current == path else path)

    def address(self, links: Links, form: str, *below: str) -> str:
        """The address of the list of ``form``, or of a page below it with the same state."""
        return links.page(form, *below, **self.query())


def state_of(query: QueryParams) -> ListState:
    """The state an address asks for, with a filter just typed (``fp``, ``fo``, ``fv``) among the others.

    Raises:
        Refused: ``invalid`` for a filter that is none.
    """
    problems = []
    filters: list[tuple[str, str, str]] = []
    for text in query.getlist("f")[:MOST_FILTERS]:
        path, first, rest = text.partition(":")
        operator, second, raw = rest.partition(":")
        if first and second and path:
            filters.append((path, operator, raw))
        else:
            problems.append(problem("web.bad_filter", text=text[:LONGEST_SEARCH]))
    if problems:
        raise Refused(problems)
    for one in _typed(query):
        if one not in filters:
            filters.append(one)
    return ListState(
        view=query.get("view", ""),
        search=query.get("q", "").strip()[:LONGEST_SEARCH],
        tag=query.get("tag", "")[:LONGEST_SEARCH],
        sort=query.get("sort", ""),
        columns=tuple(dict.fromkeys(path for path in query.get("cols", "").split(",") if path)),
        filters=tuple(filters[:MOST_FILTERS]),
        after=query.get("after", ""),
    )


def _typed(query: QueryParams) -> tuple[tuple[str, str, str], ...]:
    """The filter the filter form sends; a range becomes two."""
    path, operator = query.get("fp", ""), query.get("fo", "")
    values = [value.strip() for value in query.getlist("fv") if value.strip()]
    if not path or not operator:
        return ()
    if operator == BETWEEN:
        ends = (("ge", query.get("fv", "").strip()), ("le", query.get("fv2", "").strip()))
        return tuple((path, word, end) for word, end in ends if end)
    if operator in {"empty", "not_empty"}:
        return ((path, operator, ""),)
    if not values:
        return ()
    if len(values) > 1:
        return ((path, "in", ",".join(values)),)
    return ((path, operator, values[0]),)
