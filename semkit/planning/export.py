"""The shape of a KoboToolbox export: headers with group prefixes, XML values, every cell quoted.

Written after the platform's own exporter (formpack, ``export_to_csv`` and the export tests of kpi) with the settings
"XML values and headers", groups in headers with ``/``, and select-many answers both in one column
and in one 0/1 column a choice.  The form's own fields stand first (``start``, ``end``), the
platform's last (``_id`` ... ``_index``); lines end in CRLF and the text is UTF-8.
"""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from semkit.planning.damage import RowDamage
from semkit.planning.objective import Answers
from semkit.planning.profile import PARTNER_TYPES
from semkit.planning.streams import stream

Text = NDArray[np.str_]
Columns = dict[str, Text]

WESTERN_INDONESIA = timezone(timedelta(hours=7))
FIRST_DAY = datetime(2026, 2, 2, tzinfo=WESTERN_INDONESIA)
FIELD_DAYS = 75
FIRST_ID = 50_001
FORM_UID = "vSyntheticBorderForm01"
MULTIPLE: Mapping[str, tuple[str, ...]] = {"partner_types": (*PARTNER_TYPES, "none")}


def as_text(value: NDArray[np.int64] | Text, empty: int) -> Text:
    """Answers as the export writes them: whole numbers without a point, nothing for an empty cell."""
    text = value.astype(np.str_)
    return text if value.dtype.kind == "U" else np.where(value == empty, "", text)


def _times(seconds: NDArray[np.int64], rows: RowDamage, seed: int, study: str) -> tuple[Text, Text, Text]:
    """Start and end of the interviews (local time) and submission (UTC), later rows later.

    A duplicate is the same interview sent again: start and end of its source, its own submission.
    """
    u = stream(seed, study, "export").random((seconds.size, 3))
    day = np.floor(np.sort(FIELD_DAYS * u[:, 0]))
    place = np.sort(FIELD_DAYS * u[:, 0]) - day
    sent = np.rint(86400.0 * day + 3600.0 * (8.5 + 11.0 * place)).astype(np.int64)
    end = sent - 5 - np.floor(85.0 * u[:, 1]).astype(np.int64)
    start = (end - seconds)[rows.source]
    end = end[rows.source]
    milli = np.floor(1000.0 * u[:, 2]).astype(np.int64)[rows.source]
    utc = [(FIRST_DAY + timedelta(seconds=int(s))).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") for s in sent]
    return _local(start, milli), _local(end, milli), np.asarray(utc)


def _local(seconds: NDArray[np.int64], milli: NDArray[np.int64]) -> Text:
    """Local time stamps with milliseconds and offset, as the form records them."""
    moments = [FIRST_DAY + timedelta(seconds=int(s), milliseconds=int(f)) for s, f in zip(seconds, milli, strict=True)]
    return np.asarray([moment.isoformat(timespec="milliseconds") for moment in moments])


def _uuids(n: int, seed: int, study: str) -> Text:
    """Random (version 4) identifiers from the seed."""
    rng = stream(seed, study, "export", "cells")
    return np.asarray([str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(n)])


def _split(name: str, chosen: Text, options: Sequence[str]) -> Columns:
    """One 0/1 column a choice beside the joined answer; all empty where nothing was answered."""
    sets = [set(answer.split()) for answer in chosen]
    return {
        f"{name}/{option}": np.asarray(["" if not picked else str(int(option in picked)) for picked in sets])
        for option in options
    }


def as_exported(
    parts: Mapping[str, Answers],
    quality: Answers,
    rows: RowDamage,
    seed: int,
    empty: int,
    *,
    study: str = "border",
    multiple: Mapping[str, Sequence[str]] = MULTIPLE,
) -> Columns:
    """Lay the answers out as the platform exports them.

    Parameters
    ----------
    parts : Mapping of group name to answers
        In order of asking.
    quality : Answers
        Fields the form records by itself.
    rows : RowDamage
        ``rows.source`` says which row's answers stand in each row.
    seed, empty : int
    study : str
        Whose streams are drawn from.
    multiple : Mapping of str to sequence of str
        Choices of the select-multiple questions.

    Returns
    -------
    dict of str to ndarray of str (n,)
    """
    source, n = rows.source, rows.source.size
    seconds = quality["duration_s"].astype(np.int64)
    start, end, sent = _times(seconds, rows, seed, study)
    columns: Columns = {"synthetic": np.full(n, "1"), "start": start, "end": end}
    for group, answers in {**parts, "quality": quality}.items():
        for name, value in answers.items():
            header = f"{group}/{name}"
            columns[header] = as_text(value, empty)[source]
            if name in multiple:
                columns |= _split(header, columns[header], multiple[name])
    columns |= {
        "_id": (FIRST_ID + np.arange(n)).astype(np.str_),
        "_uuid": _uuids(n, seed, study),
        "_submission_time": sent,
        "_validation_status": np.full(n, ""),
        "_notes": np.full(n, ""),
        "_status": np.full(n, "submitted_via_web"),
        "_submitted_by": np.full(n, ""),
        "__version__": np.full(n, FORM_UID if study == "border" else f"vSynthetic_{study}"),
        "_tags": np.full(n, ""),
        "_index": (1 + np.arange(n)).astype(np.str_),
    }
    return columns


def to_bytes(columns: Columns) -> bytes:
    """CSV with ``;``, every cell quoted, CRLF, UTF-8 without a byte-order mark."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(zip(*(value.tolist() for value in columns.values()), strict=True))
    return out.getvalue().encode("utf-8")
