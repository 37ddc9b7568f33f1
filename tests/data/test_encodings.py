"""Text in every encoding that is told, and text of which nobody can tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercer.brief import Source
from mercer.data import read_frame
from mercer.data.encodings import find_encoding
from mercer.errors import DataError

WESTERN = (
    "user,item,price\nZoë,café crème à la Provençale,3\nJürgen,Größe XL – “süß”,4\nNuño,jalapeño ½ l €,5\n"
)
PLAIN = "user,item\nann,mug\nbob,lamp\n"
POLISH = "user,item\nŁukasz,żółta łódź\nGrażyna,mała książka\n"
RUSSIAN = "user,item\nИван,синяя кружка\nОльга,лампа\n"
GREEK = "user,item\nΓιάννης,μπλε κούπα\n"
JAPANESE = "user,item\n太郎,青いマグカップ\n"


def found(folder: Path, content: bytes) -> str:
    (folder / "log.csv").write_bytes(content)
    return find_encoding(folder / "log.csv").encoding


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        (PLAIN, "ascii", "utf-8"), (WESTERN, "utf-8", "utf-8"), (WESTERN, "utf-8-sig", "utf-8-sig"),
        (JAPANESE, "utf-8", "utf-8"), (WESTERN, "utf-16", "utf-16"), (RUSSIAN, "utf-16", "utf-16"),
        (WESTERN, "utf-16-le", "utf-16-le"), (PLAIN, "utf-16-be", "utf-16-be"), (WESTERN, "utf-32", "utf-32"),
        (WESTERN, "cp1252", "cp1252"), ("user,item\nZoë,Größe\n", "latin-1", "latin-1"),
        ("user,item\nu1,MÜNCHEN STRAßE ÅHLÉN\nu2,PÈRE NOËL\n", "cp1252", "latin-1"),
    ],
)  # fmt: skip
def test_the_encoding_is_told_by_the_content(tmp_path: Path, text: str, encoding: str, expected: str) -> None:
    assert found(tmp_path, text.encode(encoding)) == expected
    frame = read_frame(Source(source="log.csv"), (tmp_path,))
    expected_rows = [line.split(",") for line in text.splitlines()]
    assert [list(frame.columns), *frame.to_numpy().tolist()] == expected_rows


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (POLISH, "cp1250"), (POLISH, "iso-8859-2"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (GREEK, "cp1253"),
        (JAPANESE, "shift_jis"), (JAPANESE, "euc-jp"), (WESTERN.replace("€", "").replace("–", "").replace("“", "")
        .replace("”", ""), "cp437"), ("user,item\nu1,çanta ışık\nu2,şal ığdır\n", "cp1254"),
    ],
)  # fmt: skip
def test_what_could_be_several_is_refused_with_a_remedy(tmp_path: Path, text: str, encoding: str) -> None:
    with pytest.raises(
        DataError, match=r"log\.csv: line \d is not UTF-8, and which .* Give `encoding`"
    ) as raised:
        found(tmp_path, text.encode(encoding))
    assert not any(
        word in str(raised.value) for line in text.splitlines()[1:] for word in line.split(",")[:2]
    )
    frame = read_frame(Source(source="log.csv", encoding=encoding), (tmp_path,))
    assert frame["item"].tolist() == [line.split(",")[1] for line in text.splitlines()[1:]]


def test_a_file_of_two_encodings_is_refused(tmp_path: Path) -> None:
    content = PLAIN.encode() + "zoë,café\n".encode() + "noël,crème\n".encode("cp1252")
    with pytest.raises(
        DataError, match=r"line 5 is not UTF-8.*: line 4 is UTF-8, so the file mixes encodings"
    ):
        found(tmp_path, content)


def test_what_was_decided_is_said(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(WESTERN.encode("cp1252"))
    notes: list[str] = []
    read_frame(Source(source="log.csv"), (tmp_path,), notes=notes)
    assert notes == [
        "log.csv is read as cp1252: line 2 is not UTF-8, and the letters outside ASCII (17 looked at) stand as in "
        "Western European words"
    ]
    read_frame(Source(source="log.csv", encoding="cp1252"), (tmp_path,), notes=notes)
    assert len(notes) == 1, "what the brief says needs no word"


def test_a_character_cut_by_a_piece_of_the_file_is_whole(tmp_path: Path) -> None:
    assert found(tmp_path, b"x" * (2**20 - 1) + "é".encode() + b"\n") == "utf-8"


@given(
    st.text(
        st.characters(codec="cp1252", exclude_characters="\r\n\0", categories=["Ll", "Zs"]), min_size=1
    ).map(lambda text: f"user,item\n{text},é\n")
)
def test_small_letters_of_the_west_are_never_taken_for_utf8(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("text")
    try:
        encoding = found(folder, text.encode("cp1252"))
    except DataError:
        return
    assert text.encode("cp1252").decode(encoding) == text


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b'sep=;\nuser;item\nu1;"a, b, c"\n', ["user", "item"]),
        (b"sep=|\r\nuser|item\r\nu1|a;b;c\r\n", ["user", "item"]),
        (b'"user, full";item\nu1;"a, b, c"\n', ["user, full", "item"]),
        (b"user;item;net, gross\nu1;a;1,5\n", ["user", "item", "net, gross"]),
        (b'"user\nname",item\nu1,"a\nb"\n', ["user\nname", "item"]),
        ("sep=;\nuser;item\nu1;é\n".encode("utf-16"), ["user", "item"]),
    ],
)
def test_the_delimiter_is_the_one_that_divides_all_rows_alike(
    tmp_path: Path, content: bytes, columns: list[str]
) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    frame = read_frame(Source(source="log.csv"), (tmp_path,))
    assert list(frame.columns) == columns
    assert frame.iloc[0, 0] == "u1"
    assert len(frame) == 1
