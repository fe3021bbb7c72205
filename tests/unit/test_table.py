"""Rows of CSV: what is wrong with one costs that one."""

from __future__ import annotations

import io

import pytest

from toolkit.feed.table import LENGTH, TRIES, lines_in, lines_of, rows

GOOD = "a,1,x,y\n"


def read(text: str, *needed: list[str]) -> list[list[str] | None]:
    found = rows(lines_of(text), *(needed or (["id"], ["t"])))
    return [None if cells is None else [*cells.values()] for _, cells in found]


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        ('b,2,"x,y', [None]),
        ('b,2,"x,y\nc,3,"x,y', [None, None]),
        ('b,2,"x,y\nc,3,x",y', [None, ["c", "3", 'x"', "y"]]),  # two lone quotes of two rows
        ('b,2,"x,y\n"c",3,x,y', [None, ["c", "3", "x", "y"]]),
        ('b,2,"two\nlines",y', [["b", "2", "two\nlines", "y"]]),  # RFC 4180
        ('b,2,"two\r\nlines, ""quoted""",y', [["b", "2", 'two\nlines, "quoted"', "y"]]),
        ('b,2,5" pipe,y', [["b", "2", '5" pipe', "y"]]),
        ('b,2,"x"z,y', [["b", "2", "xz", "y"]]),
        ("b,2,x", [None]),
        ("b,2,x,y,z", [None]),
        ("b,2,x,y,,", [["b", "2", "x", "y"]]),
        (f"b,2,{'x' * LENGTH},y", [None]),
        (f'b,2,"{"x" * (LENGTH - 8)}',  [None]),
        ("b,2,x\x00,\x1cy\u2028", [["b", "2", "x\x00", "\x1cy\u2028"]]),
        ("# what follows is provisional", []),
        (" # of, four, cells, too", []),
        ("#N/A,2,x,y", [["#N/A", "2", "x", "y"]]),
        ('"b", "2, 3", "x", "y"', [["b", "2, 3", "x", "y"]]),
        ('b, 2, "two\nlines", y', [["b", "2", "two\nlines", "y"]]),
        ("", []),
        (",,,", []),
    ],
)  # fmt: skip
def test_a_broken_row_costs_itself(broken: str, kept: list[list[str] | None]) -> None:
    before, after = ["a", "1", "x", "y"], ["z", "9", "x", "y"]
    for end in ("\n", "\r\n", "\r"):
        text = f"id,t,n,m\n{GOOD}{broken}\nz,9,x,y\n".replace("\r\n", "\n").replace("\n", end)
        assert read(text) == [before, *kept, after]


def test_a_row_has_the_number_of_its_line() -> None:
    text = 'title\n\nid,t,n\na,1,"x\ny"\n\nb,2\nc,3,z\n'
    assert [(number, cells is None) for number, cells in rows(lines_of(text), ["id"], ["t"])] == [
        (4, False), (7, True), (8, False),
    ]  # fmt: skip


def test_the_last_quote_of_a_file_is_not_closed() -> None:
    assert read('id,t,n\na,1,x\nb,2,"y\n\n') == [["a", "1", "x"], None]


def test_quotes_in_every_row_are_a_matter_of_its_length() -> None:
    found = read("id,t,n\n" + '"\n' * (3 * TRIES) + "a,1,x\n")
    assert found.count(None) == 3 * TRIES
    assert found[-1] == ["a", "1", "x"]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("id;t;n\na;1;12,5\n", ["a", "1", "12.5"]),
        ("id\tt\tn\na\t1\t-0,5\n", ["a", "1", "-0.5"]),
        ("id;t;n\na;1;1.234,5\n", ["a", "1", "1.234,5"]),
        ("id;t;n\na;1;N,E\n", ["a", "1", "N,E"]),
        ('id,t,n\na,1,"12,5"\n', ["a", "1", "12,5"]),
        ("id|t|n|\na|1|x|\n", ["a", "1", "x"]),
        ("id;t;n;\na;1;x\n", ["a", "1", "x"]),
        ('"id","t","n"\n"a","1","x"\n', ["a", "1", "x"]),
        ('"id", "t", "n"\n"a", "1", "x"\n', ["a", "1", "x"]),
    ],
)
def test_relatives(text: str, cells: list[str]) -> None:
    assert read(text) == [cells]


@pytest.mark.parametrize("text", ["", "a,b\n", '"id,t\n', f"id,t{'x' * LENGTH}\n", "x\n" * 20 + "id,t\n"])
def test_no_header_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"^no CSV with the fields id and t: it begins with"):
        read(text)


def test_a_line_without_an_end_is_not_kept() -> None:
    file = io.StringIO("id,t\n" + "x" * (5 * LENGTH) + "\na,1\n")
    lines = list(lines_in(file))
    assert [len(line) > LENGTH for line in lines] == [False, True, False]
    assert len(lines[1]) < 2 * LENGTH
