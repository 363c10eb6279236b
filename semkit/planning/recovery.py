"""The whole way back: from a field export of invented firms to the values that were planted.

Reader, cleaning, composite and latent interaction run as they do in a study, on a file so large that what remains
is bias and not chance.  Models without controls, which have no effect in this population.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from semkit.fitting import sem
from semkit.instrument import load_instrument
from semkit.planning.detection import cleaned
from semkit.planning.simulation import Simulated
from semkit.sample import Composite

WHOLES = """
collab =~ m_cn_str + m_cn_rel + m_cn_cog
mperf  =~ m_mp_sal + m_mp_rch + m_mp_cus + m_mp_prf
"""
MODELS: Mapping[str, str] = {
    "M1": WHOLES
    + """
cn_acc =~ cn_acc_1 + cn_acc_2 + cn_acc_3 + cn_acc_4
cn_knw =~ cn_knw_1 + cn_knw_2 + cn_knw_3 + cn_knw_4
cn_vce =~ cn_vce_1 + cn_vce_2 + cn_vce_3 + cn_vce_4
cn_acc ~ a1*collab
cn_knw ~ a2*collab
cn_vce ~ a3*collab
cn_acc ~~ cn_knw + cn_vce
cn_knw ~~ cn_vce
mperf  ~ b1*cn_acc + b2*cn_knw + b3*cn_vce + c*collab
ind_acc := a1*b1
ind_knw := a2*b2
ind_vce := a3*b3
total := c + a1*b1 + a2*b2 + a3*b3
""",
    "M2": WHOLES + "mperf  ~ b1*collab + b2*govt + b3*collab:govt\n",
}
LABELS: Mapping[str, tuple[str, ...]] = {
    "M1": ("total", "ind_acc", "ind_knw", "ind_vce", "a1", "a2", "a3"),
    "M2": ("b1", "b2", "b3"),
}


@dataclass(frozen=True, slots=True)
class Recovered:
    """A standardised estimate from the answers, its robust standard error, and the respondents used."""

    std: float
    error: float
    nobs: int


def government() -> Composite:
    """The composite of the study: equal-weight mean of the three kinds of support."""
    form = load_instrument("government_role")
    parts = ("gr_fac", "gr_cap", "gr_inf")
    items = {f"m_{part}": tuple(item.name for item in form.items_of(part)) for part in parts}
    return Composite(tuple(items), items, "equal", "stratified_alpha")


def recover(simulated: Simulated) -> dict[str, dict[str, Recovered]]:
    """Standardised quantities by model and label, estimated from the cleaned answers of firms with partners."""
    frame = cleaned(simulated).frame
    frame = frame.loc[frame["no_partner"] == 0]
    found: dict[str, dict[str, Recovered]] = {}
    for model, text in MODELS.items():
        fit = sem(text, frame, estimator="mlr", composites={"govt": government()} if "govt" in text else None)
        errors = np.sqrt(np.diag(np.asarray(fit.std_vcov, dtype=np.float64)))
        places = {label: fit.names.index(label) for label in LABELS[model]}
        found[model] = {
            label: Recovered(float(fit.std_est[k]), float(errors[k]), int(fit.nobs)) for label, k in places.items()
        }
    return found
