"""What field platforms add to an export: metadata columns, quality fields, and what looks personal.

Sources
-------
KoboToolbox: support.kobotoolbox.org "Exporting and downloading your data", "Advanced options for exporting data";
the exporter formpack (``reporting/export.py``: ``;``, every cell quoted, group separator, ``_id`` ... ``_index``).
ODK Briefcase: docs/export-format.md (``SubmissionDate``, ``KEY``).  Google Forms: the first column of the response
sheet is the time stamp; the headers are the question texts, a grid row is ``Question [row]``.
LimeSurvey: manual "Exporting results"; ``application/helpers/admin/export/Writer.php`` (``code[subcode]``,
``text [subtext]``, ``code. text``).  Qualtrics: support "Understanding Your Data Set" (three header rows, the third
``{"ImportId": ...}``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from semkit.responses.records import Platform

KOBO = frozenset(
    """_id _uuid _submission_time _validation_status _notes _status _submitted_by _tags _index __version__ _version_
    _xform_id_string _attachments _geolocation _parent_index _parent_table_name _bamboo_dataset_id _media_all_received
    _xform_id _supplementalDetails formhub/uuid meta/instanceID meta/instanceName meta/rootUuid
    meta/deprecatedID""".split()
)
ODK = frozenset(
    """SubmissionDate KEY instanceID instanceName meta-instanceID meta-instanceName isValidated SubmitterID
    SubmitterName AttachmentsPresent AttachmentsExpected Status ReviewState DeviceID Edits FormVersion""".split()
)
LIMESURVEY = frozenset(
    """id submitdate lastpage startlanguage seed startdate datestamp ipaddr refurl interviewtime token firstname
    lastname email""".split()
)
LIMESURVEY_WORDS = frozenset(
    ("response id", "date submitted", "last page", "start language", "date started", "date last action", "total time")
)
_LIMESURVEY_TIME = re.compile(r"^(groupTime|group time|questionTime|question time)", re.IGNORECASE)
QUALTRICS = frozenset(
    """StartDate EndDate Status IPAddress Progress Finished RecordedDate ResponseId RecipientLastName RecipientFirstName
    RecipientEmail ExternalReference LocationLatitude LocationLongitude DistributionChannel UserLanguage
    ResponseSet ExternalDataReference""".split()
) | {"Duration (in seconds)"}
ENTRY = frozenset(("respondent_id", "entered_by", "pseudonym"))
GOOGLE = frozenset(("timestamp", "stempel waktu", "cap waktu"))
_OTHER = frozenset(("today", "score", "skor", "instance_id", "instancename", "form_id", "survey_id", *ENTRY))
_KOBO_VERSION = re.compile(r"^_version__\d+$")

# Quality field -> names under which forms record it.
QUALITY: dict[str, tuple[str, ...]] = {
    "start": ("start", "start_time", "starttime", "startdate", "date started"),
    "end": ("end", "end_time", "endtime", "enddate", "submitdate", "date submitted"),
    "duration_s": ("duration_s", "duration", "duration (in seconds)", "interviewtime", "total time"),
    "mode": ("mode",),
    "enumerator": ("enumerator", "enumerator_id", "interviewer"),
    "lang": ("lang", "language", "startlanguage", "start language", "userlanguage"),
    "form_version": ("form_version", "formversion"),
    "device_hash": ("device_hash",),
}
IDENTIFIERS = ("_uuid", "_id", "KEY", "instanceID", "meta/instanceID", "ResponseId", "respondent_id",
               "pseudonym")  # fmt: skip
SYNTHETIC = "synthetic"

_PERSONAL_WORDS = frozenset(
    """name nama namanya panggilan fullname firstname lastname nickname surname namalengkap
    phone phonenumber telephone telepon telpon telefon telp tlp nomorhp nohp hp hape handphone cellphone ponsel mobile
    whatsapp wa kontak contact nik ktp kk npwp nib siup passport paspor email mail surel instagram facebook
    gps latitude longitude altitude precision lintang bujur geopoint geotrace geoshape geolocation coordinates
    coordinate koordinat lokasi location address alamat ip ipaddress ipaddr refurl
    deviceid device perangkat imei simserial simid subscriberid username
    signature tandatangan ttd foto photo picture gambar image selfie video rekaman recording""".split()
)
_HALVES = ("lat", "lon", "long", "lng")
"""Halves of a place; words of their own elsewhere, so they count only at the end of a header."""


def guess_platform(header: Iterable[str], *, three_rows: bool = False) -> Platform:
    """Guess the platform from the structure of a header.

    Parameters
    ----------
    header : iterable of str
    three_rows : bool
        Whether the second and third row are Qualtrics' texts and import ids.

    Examples
    --------
    >>> guess_platform(["start", "cn_str_1", "_id", "_uuid", "_submission_time"]), guess_platform(["cn_str_1"])
    ('kobo', 'plain')
    """
    names = list(header)
    if three_rows:
        return "qualtrics"
    if len(KOBO & set(names)) >= 2:
        return "kobo"
    if {"SubmissionDate", "KEY"} <= set(names):
        return "odk"
    if names and names[0].strip().casefold() in GOOGLE:
        return "google_forms"
    folded = [name.casefold() for name in names]
    if {"lastpage", "startlanguage"} <= {name.partition(". ")[0] for name in folded}:
        return "limesurvey"  # headings "code" or "code. text"
    if len(LIMESURVEY_WORDS & set(folded)) >= 3:
        return "limesurvey"
    if len({"StartDate", "EndDate", "ResponseId", "RecordedDate"} & set(names)) >= 3:
        return "qualtrics"
    return "entry" if folded[:2] == ["respondent_id", "entered_by"] else "plain"


def is_metadata(name: str, platform: Platform) -> bool:
    """Whether a column is the platform's own."""
    return (
        name in KOBO
        or bool(_KOBO_VERSION.match(name))
        or (platform == "odk" and name in ODK)
        or (platform == "google_forms" and name.strip().casefold() in GOOGLE)
        or (platform == "qualtrics" and name in QUALTRICS)
        or (platform == "limesurvey" and _limesurvey_metadata(name))
        or name.strip().casefold() in _OTHER
    )


def _limesurvey_metadata(name: str) -> bool:
    folded = name.strip().casefold()
    known = folded in LIMESURVEY or folded in LIMESURVEY_WORDS or folded in ("ip address", "referrer url")
    return known or bool(_LIMESURVEY_TIME.match(name))


def quality_field(name: str) -> str:
    """Quality field that a header names, or an empty string.

    Examples
    --------
    >>> quality_field("start"), quality_field("meta/start_time"), quality_field("started")
    ('start', 'start', '')
    """
    last = re.split(r"[/:.]", name.strip())[-1].casefold()
    return next((target for target, names in QUALITY.items() if last in names), "")


def looks_personal(name: str) -> bool:
    """Whether a header speaks of something that can identify a person: name, telephone, NIK, e-mail, place, device.

    Parameters
    ----------
    name : str
        Header that names no item or question of the instruments.

    Examples
    --------
    >>> [looks_personal(name) for name in ("Nama lengkap", "_gps_latitude", "no_hp", "n_hopes")]
    [True, True, True, False]
    >>> looks_personal("lokasi_lat"), looks_personal("how long it took")
    (True, False)
    """
    words = [word for word in re.split(r"[^0-9a-zA-Z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()) if word]
    joined = "".join(words)
    return (
        any(word in _PERSONAL_WORDS for word in words)
        or (bool(words) and len(words) <= 3 and words[-1] in _HALVES)
        or joined in _PERSONAL_WORDS
        or "email" in joined
        or "submittedby" in joined
        or joined.startswith("submitter")
    )
