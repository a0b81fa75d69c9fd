"""A storage location: a file is whole under its name, or not there; in a directory and on S3."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from singer_marketo.locations import without_secrets
from singer_marketo.storage import Storage, StorageError

if TYPE_CHECKING:
    from pathlib import Path

MULTIPART_BYTES = 60 << 20


@pytest.fixture(params=["directory", "file address", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a location."""
    if request.param == "s3":
        return str(request.getfixturevalue("bucket"))
    folder = tmp_path / "new one"
    return str(folder) if request.param == "directory" else folder.as_uri()


def test_a_file_is_there_once_it_is_whole(root: str) -> None:
    """It replaces an earlier one; its address is one that others can open."""
    storage = Storage("where", root)
    for content in (b"first", b"second, and longer", b""):
        with storage.writing("a/b.txt") as file:
            file.write(content)
        with storage.reading("a/b.txt") as file:
            assert file.read() == content
    assert storage.names(".txt") == ["a/b.txt"]
    assert storage.url("a/b.txt").startswith(("file:///", "s3://"))
    assert storage.remove("a/b.txt")
    assert not storage.remove("a/b.txt")
    assert storage.names(".txt") == []


@pytest.mark.parametrize(
    "options", [{"foo": 1}, {"client_kwargs": "x"}, {"endpoint_url": "no address"}], ids=str
)
def test_options_that_a_driver_takes_late_are_told(
    s3_environment: None, options: dict[str, Any]
) -> None:
    """It raises what Python happens to: a fault of the setting, not of this package."""
    storage = Storage("where", "s3://some/where", options)
    with (
        pytest.raises(StorageError, match=r"where 's3://some/where': could not write a\.txt"),
        storage.writing("a.txt") as file,
    ):
        file.write(b"x")


def test_an_error_of_the_writer_is_not_one_of_the_location(root: str) -> None:
    """Whoever writes may meet any error; it goes on as it is."""
    storage = Storage("where", root)
    with pytest.raises(TypeError, match="mine"), storage.writing("a.txt") as file:  # noqa: PT012
        file.write(b"x")
        raise TypeError("mine")


def test_no_file_of_a_directory_is_passed_over_in_silence(tmp_path: Path) -> None:
    """Folders moved elsewhere behind a link are followed, once each; a torn link is told."""
    storage = Storage("where", str(tmp_path / "here"))
    for name in ("2025/a.json", "2026/b.json"):
        with storage.writing(name) as file:
            file.write(b"x")
    (tmp_path / "here" / "2025").rename(tmp_path / "elsewhere")
    (tmp_path / "here" / "2025").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "here" / "2026" / "loop").symlink_to(tmp_path / "here")
    (tmp_path / "here" / "2026" / "torn.json").symlink_to(tmp_path / "gone")
    assert storage.names(".json") == ["2025/a.json", "2026/b.json", "2026/torn.json"]
    with (
        pytest.raises(StorageError, match=r"could not read 2026/torn\.json"),
        storage.reading("2026/torn.json"),
    ):
        pass


def test_a_folder_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files would be missing otherwise, and nobody would know."""
    storage = Storage("where", str(tmp_path))
    with storage.writing("2025/a.json") as file:
        file.write(b"x")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("2025"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(StorageError, match="could not list the files: Permission denied"):
        storage.names(".json")


@pytest.mark.slow
@pytest.mark.parametrize("size", [5, MULTIPART_BYTES])
def test_a_file_that_breaks_off_is_not_there(root: str, size: int) -> None:
    """The earlier one stays."""
    storage = Storage("where", root)
    with storage.writing("a.bin") as file:
        file.write(b"whole")

    def break_off() -> None:
        with storage.writing("a.bin") as file:
            file.write(bytes(size))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert storage.names("") == ["a.bin"]
    with storage.reading("a.bin") as file:
        assert file.read() == b"whole"


@pytest.mark.parametrize("has_nameless", ["yes", "no"])
def test_a_file_that_is_written_has_no_name_where_that_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_nameless: str
) -> None:
    """A killed process leaves nothing, or what the next one writes over."""
    if has_nameless == "no":
        monkeypatch.delattr(os, "O_TMPFILE")
    (tmp_path / ".a.txt.part").write_bytes(b"of a killed run, and longer")
    storage = Storage("where", str(tmp_path))
    with storage.writing("a.txt") as file:
        file.write(b"x")
        names = {path.name for path in tmp_path.iterdir()}
        assert names == {".a.txt.part"}
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.txt", b"x")]


@pytest.mark.slow
def test_a_large_file_arrives_in_parts(bucket: str) -> None:
    """A multipart upload, complete at its end."""
    storage = Storage("where", bucket)
    with storage.writing("large.bin") as file:
        for _ in range(3):
            file.write(bytes(MULTIPART_BYTES // 3))
        assert storage.names("") == []
    assert storage.names("") == ["large.bin"]


def refused(root: str) -> str:
    """Return the one line that a location which refuses is told with."""
    with (
        pytest.raises(StorageError) as told,
        Storage("some_setting", root).writing("a.txt") as file,
    ):
        file.write(b"x")
    line = str(told.value)
    assert "some_setting" in line
    assert "\n" not in line
    return line


@pytest.mark.parametrize("root", ["/proc/none", "/dev/null/x", "nosuch://x", "nul\0"])
def test_a_location_that_refuses_is_told_in_one_line(root: str) -> None:
    """No directory, no such driver, no name."""
    assert ("is no protocol" if "://" in root else "could not") in refused(root)


def test_a_full_disk_is_told_in_one_line() -> None:
    """Whenever it becomes full."""
    with pytest.raises(StorageError, match="No space left on device"):
        fill(Storage("some_setting", "/dev/shm"))


def fill(storage: Storage) -> None:
    """Write to a device that is always full, as a directory of it would be."""
    with storage.writing("never-there.txt"), open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        full.write(b"x")


def test_a_bucket_that_is_missing_or_closed_is_told_in_one_line(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the words of S3, and no key in them."""
    assert "could not" in refused("s3://nobody-made-this-bucket/x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    import s3fs  # noqa: PLC0415

    s3fs.S3FileSystem.clear_instance_cache()
    assert "testing" not in refused(bucket)
    s3fs.S3FileSystem.clear_instance_cache()


def test_addresses_are_shown_without_secrets() -> None:
    """Neither user nor password nor signature."""
    assert without_secrets("s3://key:secret@bucket/a?sig=1") == "s3://bucket/a"
    assert without_secrets("/a/b") == "/a/b"
