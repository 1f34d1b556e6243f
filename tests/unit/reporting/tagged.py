"""The structure tree of a finished report, and what must hold of it whatever the report says."""

import pikepdf

SHOWS = {"Tj", "TJ", "'", '"', "f", "f*", "F", "S", "s", "B", "B*", "b", "b*", "Do", "sh", "EI"}
"""Operators that leave something on the page."""
HEADINGS = {"/H1", "/H2"}


def elements(pdf):
    """Every element of the tree in reading order, with its parents' roles."""

    def walk(node, above):
        yield node, above
        for kid in kids(node):
            if isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == "/StructElem":
                yield from walk(kid, (*above, str(node.S)))

    yield from walk(pdf.Root.StructTreeRoot.K[0], ())


def kids(node):
    found = node.get("/K", [])
    return list(found) if isinstance(found, pikepdf.Array | list) else [found]


def marks(pdf):
    """Each marked stretch in the tree's order: its page and number, and its element."""
    numbers = {page.obj.objgen: place for place, page in enumerate(pdf.pages)}

    def walk(node):
        for kid in kids(node):
            if not isinstance(kid, pikepdf.Dictionary):
                yield (numbers[node.Pg.objgen], int(kid)), node
            elif kid.get("/Type") == "/MCR":
                yield (numbers[kid.Pg.objgen], int(kid.MCID)), node
            elif kid.get("/Type") == "/StructElem":
                yield from walk(kid)

    return walk(pdf.Root.StructTreeRoot.K[0])


def nothing_is_painted_outside_of_a_tag(pdf):
    for page in pdf.pages:
        depth = 0
        for operands, operator in pikepdf.parse_content_stream(page):
            if str(operator) in {"BDC", "BMC"}:
                depth += 1
            elif str(operator) == "EMC":
                depth -= 1
            elif str(operator) in SHOWS:
                assert depth == 1, (operands, operator)
        assert depth == 0


def every_stretch_has_one_place_in_the_tree(pdf):
    told = list(marks(pdf))
    on_pages = [
        (place, int(operands[1].MCID))
        for place, page in enumerate(pdf.pages)
        for operands, operator in pikepdf.parse_content_stream(page)
        if str(operator) == "BDC" and "/MCID" in operands[1]
    ]
    assert sorted(mark for mark, _ in told) == sorted(on_pages)
    numbers = pdf.Root.StructTreeRoot.ParentTree.Nums
    owners = {int(numbers[n]): numbers[n + 1] for n in range(0, len(numbers), 2)}
    for (page, number), node in told:
        assert owners[int(pdf.pages[page].StructParents)][number].objgen == node.objgen


def the_tree_is_read_as_it_is_drawn(pdf):
    places = [mark for mark, _ in marks(pdf)]
    assert places == sorted(places)


def no_page_ends_with_a_heading(pdf):
    last = {}
    for (page, number), node in marks(pdf):
        if number >= last.get(page, (-1, None))[0]:
            last[page] = (number, node)
    for _, node in last.values():
        assert str(node.S) not in HEADINGS
        assert str(node.P.S) != "/TH"


def rows_have_the_same_columns_and_headers_a_scope(pdf):
    for table in (node for node, _ in elements(pdf) if node.S == "/Table"):
        rows = [row for part in kids(table) for row in kids(part)]
        assert {sum(columns(cell) for cell in kids(row)) for row in rows} in ({5}, {6})
        head, *body = rows
        assert all(cell.S == "/TH" and cell.A.Scope == "/Column" for cell in kids(head))
        headers = [cell for row in body for cell in kids(row) if cell.S == "/TH"]
        assert headers
        assert all(cell.A.Scope == "/Row" for cell in headers)


def columns(cell):
    return int(cell.get("/A", {}).get("/ColSpan", 1))


CHECKS = (
    nothing_is_painted_outside_of_a_tag,
    every_stretch_has_one_place_in_the_tree,
    the_tree_is_read_as_it_is_drawn,
    no_page_ends_with_a_heading,
    rows_have_the_same_columns_and_headers_a_scope,
)
"""Each takes an opened document."""
