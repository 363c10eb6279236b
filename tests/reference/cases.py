"""Which of the peers' cases are compared, by the part of semkit they exercise."""

from __future__ import annotations

COMPLETE_DATA = (
    "lavaan/hs_cfa_ml",
    "lavaan/hs_cfa_ml_meanstructure",
    "lavaan/hs_cfa_ml_observed",
    "lavaan/hs_cfa_ml_stdlv",
    "lavaan/hs_cfa_ml_wishart",
    "lavaan/hs_cfa_mlr",
    "lavaan/hs_cfa_mlf",
    "lavaan/hs_cfa_mlm",
    "lavaan/hs_cfa_mlmv",
    "lavaan/hs_cfa_gls",
    "lavaan/hs_cfa_uls",
    "lavaan/hs_cfa_wls",
    "lavaan/hs_cfa_bollenstine_off_browne",
    "lavaan/hs_one_factor",
    "lavaan/hs_second_order",
    "lavaan/hs_listwise",
    "lavaan/hs_baseline_null",
    "lavaan/pd_sem",
    "lavaan/pd_sem_meanstructure",
    "lavaan/pd_sem_labels_defined",
    "lavaan/pd_sem_labels_defined_mlr",
    "lavaan/pd_sem_constraint_ineq",
    "lavaan/mediation_defined",
    "lavaan/path_fixedx",
    "lavaan/path_fixedx_nomean",
    "lavaan/path_freex",
    "lavaan/path_conditionalx",
    "lavaan/modsem12_pi",
    "lavaan/modsem12_pi_mlr",
    "lavaan/pi_oneInt_dmc_matched",
    "lavaan/pi_oneInt_dmc_matched_meanstr",
    "lavaan/pi_oneInt_dmc_matched_mlr",
    "lavaan/pi_oneInt_dmc_all_rescov",
)
GROUPS = (
    "lavaan/hs_mg_configural",
    "lavaan/hs_mg_configural_mlr",
    "lavaan/hs_mg_metric",
    "lavaan/hs_mg_metric_mlr",
    "lavaan/hs_mg_scalar",
    "lavaan/hs_mg_scalar_mlr",
    "lavaan/hs_mg_strict",
)
MISSING = ("lavaan/hs_fiml", "lavaan/hs_fiml_expected")
ORDINAL = (
    "lavaan/hs_ord_dwls",
    "lavaan/hs_ord_wls",
    "lavaan/hs_ord_wlsm",
    "lavaan/hs_ord_wlsmv",
    "lavaan/hs_ord_wlsmv_theta",
    "lavaan/hs_ord_wlsmv_mg_configural",
)
CASES = COMPLETE_DATA + GROUPS + MISSING + ORDINAL
