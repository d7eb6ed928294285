"""Write a zip whose bytes depend on nothing but the names and contents of its files."""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# The earliest date that a zip can hold.
EPOCH = (1980, 1, 1, 0, 0, 0)
LEVEL = 9
UNIX = 3

# In the Lambda runtime already, in a version that AWS chooses: boto3 and what it stands on. Who
# imports one of these itself names it in the service's requirements.in: then the zip carries it.
PROVIDED = frozenset(
    {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"}
)
PROVIDED_DISTRIBUTIONS = frozenset({*PROVIDED, "six", "python_dateutil"})
# Big parts of libraries that nothing here imports (measured with a zip unpacked: 2 MB zipped).
# A service that needs one takes its line out; a zip that lacks one fails on local AWS.
UNUSED = (
    "aws_lambda_powertools/event_handler/",
    "aws_lambda_powertools/utilities/auth_alpha/",
    "aws_lambda_powertools/utilities/circuit_breaker/",
    "aws_lambda_powertools/utilities/data_classes/",
    "aws_lambda_powertools/utilities/data_masking/",
    "aws_lambda_powertools/utilities/feature_flags/",
    "aws_lambda_powertools/utilities/kafka/",
    "aws_lambda_powertools/utilities/parameters/",
    "aws_lambda_powertools/utilities/parser/",
    "aws_lambda_powertools/utilities/streaming/",
    "aws_xray_sdk/ext/django/",
    "aws_xray_sdk/ext/flask",
    "aws_xray_sdk/ext/sqlalchemy",
    # pyvips speaks to libvips through the compiled `_libvips`, not through cffi's C parser.
    "cffi/",
    "pycparser/",
    # fastdigest's wheel puts it beside the package.
    "benchmark.py",
)
SOURCES_OF_LIBRARIES = (".pyi", ".pyc", ".c", ".h", ".pyx", ".pxd")
# What a dist-info folder is for at run time: the version, entry points and the licence.
KEPT_METADATA = ("METADATA", "entry_points.txt", "licenses", "LICENSE", "NOTICE")


def is_shipped(path: PurePosixPath, asked_for: frozenset[str] = frozenset()) -> bool:
    """Whether a file of an installed wheel belongs in the zip of a service that asked for these."""
    top, *rest = path.parts
    if top in PROVIDED - asked_for or top == "bin" or path.name == ".lock":
        return False
    if top.endswith(".dist-info"):
        name = top.split("-")[0]
        provided = name in PROVIDED_DISTRIBUTIONS - asked_for
        return not provided and rest[0].startswith(KEPT_METADATA)
    if not rest and path.suffix not in (".py", ".so"):
        return False  # a wheel's loose documents
    if {"tests", "test", "__pycache__"}.intersection(path.parts[:-1]):
        return False
    unused = path.as_posix().startswith(UNUSED) or path.name == "py.typed"
    return not unused and path.suffix not in SOURCES_OF_LIBRARIES


def files(directory: Path) -> Iterator[tuple[str, Path]]:
    """Every file below the directory as (name in the zip, path)."""
    for path in directory.rglob("*"):
        if path.is_file():
            yield path.relative_to(directory).as_posix(), path


def write(destination: Path, *directories: Path) -> None:
    """Zip the files of the directories, merged at the root.

    Raises ValueError when two directories hold the same name.
    """
    entries = sorted(entry for directory in directories for entry in files(directory))
    names = [name for name, _ in entries]
    if len(set(names)) != len(names):
        raise ValueError(f"twice in one zip: {sorted({n for n in names if names.count(n) > 1})}")
    with zipfile.ZipFile(destination, "w") as archive:
        for name, path in entries:
            archive.writestr(_info(name), path.read_bytes(), zipfile.ZIP_DEFLATED, LEVEL)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.create_system = UNIX
    is_library = ".so" in PurePosixPath(name).suffixes
    info.external_attr = (0o100755 if is_library else 0o100644) << 16
    return info


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count(path: Path) -> int:
    """How many files the zip holds."""
    with zipfile.ZipFile(path) as archive:
        return len(archive.namelist())
