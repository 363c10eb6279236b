"""Fixed words of the figures of a probe, in the survey's two languages."""

from __future__ import annotations

from collections.abc import Mapping

from semkit.errors import OptionError, Problem

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "slopes": "Simple slopes of {outcome} on {focal}",
        "slopes_said": "{outcome} along {focal} at values of {moderator}, with {level} intervals.",
        "curve": "{outcome} along {focal}, with {level} interval.",
        "shown": "{moderator}: distribution and values shown",
        "people": "people",
        "slope_of": "Slope of {focal}",
        "slope": "slope",
        "ground": "Grey ground: the interval holds zero.",
        "region": "Johnson-Neyman plot: slope of {outcome} on {focal} along {moderator}",
        "region_said": "Slope of {focal} with {level} interval along {moderator}. Boundaries of significance: {edges}.",
        "no_edge": "none inside the observed range",
        "all": "of respondents", "below": "of respondents below {high}", "above": "of respondents above {low}",
        "between": "of respondents between {low} and {high}",
        "positive": "where the slope is positive", "negative": "where the slope is negative",
        "neither": "where the slope does not differ from zero",
        "positive_effect": "where the effect is positive", "negative_effect": "where the effect is negative",
        "neither_effect": "where the effect does not differ from zero",
        "mean": "Mean", "sd": "SD", "percentile": "{n}th percentile", "at": "At {value}",
        "panels": "Simple slopes of {outcome} on {focal} at values of {moderator} and {second}",
        "path": "Indirect effect of {focal} on {outcome}: {path}", "effect": "Conditional effect",
        "path_said": "Effect along {path} with {level} interval along {moderator}. "
        "Boundaries of significance: {edges}.",
        "surface": "Response surface of {outcome} over {x} and {z}",
        "contour_said": "Contour map of predicted {outcome}, darker is higher, {low} to {high} where respondents are.",
        "surface_said": "Mesh of predicted {outcome} seen from above the low corner, darker is higher, {low} to {high} "
        "where respondents are; white where nobody is.",
        "congruence": "line of congruence", "incongruence": "line of incongruence", "axis": "first principal axis",
        "stationary": "stationary point", "respondents": "respondents", "predicted": "Predicted {outcome}",
    },
    "id": {
        "slopes": "Kemiringan sederhana {outcome} terhadap {focal}",
        "slopes_said": "{outcome} sepanjang {focal} pada nilai-nilai {moderator}, dengan selang {level}.",
        "curve": "{outcome} sepanjang {focal}, dengan selang {level}.",
        "shown": "{moderator}: sebaran dan nilai yang ditampilkan",
        "people": "responden",
        "slope_of": "Kemiringan {focal}",
        "slope": "kemiringan",
        "ground": "Latar abu-abu: selang memuat nol.",
        "region": "Grafik Johnson-Neyman: kemiringan {outcome} terhadap {focal} sepanjang {moderator}",
        "region_said": "Kemiringan {focal} dengan selang {level} sepanjang {moderator}. Batas signifikansi: {edges}.",
        "no_edge": "tidak ada dalam rentang yang diamati",
        "all": "responden", "below": "responden di bawah {high}", "above": "responden di atas {low}",
        "between": "responden antara {low} dan {high}",
        "positive": "dengan kemiringan positif", "negative": "dengan kemiringan negatif",
        "neither": "dengan kemiringan yang tidak berbeda dari nol",
        "positive_effect": "dengan pengaruh positif", "negative_effect": "dengan pengaruh negatif",
        "neither_effect": "dengan pengaruh yang tidak berbeda dari nol",
        "mean": "Rata-rata", "sd": "SB", "percentile": "Persentil ke-{n}", "at": "Pada {value}",
        "panels": "Kemiringan sederhana {outcome} terhadap {focal} pada nilai-nilai {moderator} dan {second}",
        "path": "Pengaruh tidak langsung {focal} terhadap {outcome}: {path}", "effect": "Pengaruh kondisional",
        "path_said": "Pengaruh melalui {path} dengan selang {level} sepanjang {moderator}. "
        "Batas signifikansi: {edges}.",
        "surface": "Permukaan respons {outcome} atas {x} dan {z}",
        "contour_said": "Peta kontur prediksi {outcome}, makin gelap makin tinggi, "
        "{low} sampai {high} di antara responden.",
        "surface_said": "Jaring prediksi {outcome} dilihat dari atas sudut terendah, makin gelap makin tinggi, "
        "{low} sampai {high} di antara responden; putih bila tidak ada responden.",
        "congruence": "garis kongruensi", "incongruence": "garis inkongruensi", "axis": "sumbu utama pertama",
        "stationary": "titik stasioner", "respondents": "responden", "predicted": "Prediksi {outcome}",
    },
}  # fmt: skip


def words_in(language: str) -> Mapping[str, str]:
    """Fixed words in one language.

    Raises
    ------
    OptionError
        ``report.language``.
    """
    if language not in WORDS:
        raise OptionError(Problem("report.language", "language", f"{language!r:.20} given", ", ".join(WORDS)))
    return WORDS[language]
