# Numbers of ordinal models from lavaan 0.6-14 (Debian's R); run from the project folder:
#   Rscript tests/golden/ordinal.R
# It simulates the data (tests/golden/data/ordinal_*.csv) and writes tests/golden/ordinal.json.
suppressMessages(library(lavaan))
here <- "tests/golden"

tojson <- function(x) {
  if (is.null(x)) return("null")
  if (is.list(x)) {
    if (is.null(names(x))) return(paste0("[", paste(vapply(x, tojson, ""), collapse = ","), "]"))
    return(paste0("{", paste(sprintf('"%s":%s', names(x), vapply(x, tojson, "")), collapse = ",\n"), "}"))
  }
  one <- function(v) if (is.character(v)) sprintf('"%s"', v) else if (!is.finite(v)) "null" else formatC(v, digits = 12, format = "g")
  e <- vapply(unname(as.vector(x)), one, "")
  paste0("[", paste(e, collapse = ","), "]")
}

cuts <- function(y, ...) as.integer(cut(y, c(-Inf, ..., Inf)))
factors <- function(n, rho) { a <- rnorm(n); cbind(a, rho * a + sqrt(1 - rho^2) * rnorm(n)) }
respond <- function(f, loadings) {
  out <- sapply(seq_along(loadings), function(j) loadings[j] * f[, (j > 3) + 1] + sqrt(1 - loadings[j]^2) * rnorm(nrow(f)))
  colnames(out) <- paste0("u", seq_along(loadings)); out
}
loadings <- c(.8, .7, .6, .75, .65, .7)

set.seed(20261)  # two groups, four categories; the second has another mean, spread and thresholds of u2
n <- 300
one <- respond(factors(n, .4), loadings)
two <- respond(1.2 * factors(n, .5) + .3, loadings)
mg <- data.frame(rbind(one, two), g = rep(c("a", "b"), each = n))
for (v in colnames(one)) mg[[v]] <- cuts(mg[[v]] + ifelse(v == "u2" & mg$g == "b", .4, 0), -1, 0, 1.1)
write.csv(mg, file.path(here, "data/ordinal_groups.csv"), row.names = FALSE)

set.seed(20262)  # binary, three and four categories, two continuous (one skewed), two covariates
n <- 400
x <- cbind(w = rnorm(n), z = rbinom(n, 1, .4))
y <- respond(factors(n, .5) + x %*% c(.4, -.3) %*% c(1, .6), loadings)
mixed <- data.frame(y, x)
mixed$u1 <- cuts(y[, 1], .3); mixed$u2 <- cuts(y[, 2], -.5, .6); mixed$u4 <- cuts(y[, 4], -1, 0, .9)
mixed$u5 <- cuts(y[, 5], -.2, .8); mixed$u6 <- exp(.5 * y[, 6])
write.csv(mixed, file.path(here, "data/ordinal_mixed.csv"), row.names = FALSE)

set.seed(20264)  # the same with gaps in every column
gaps <- mixed
for (v in paste0("u", 1:6)) gaps[sample(n, 40), v] <- NA
write.csv(gaps, file.path(here, "data/ordinal_gaps.csv"), row.names = FALSE, na = "")

set.seed(20263)  # five skewed categories, N = 200
skewed <- data.frame(apply(respond(factors(200, .4), loadings), 2, cuts, .4, .9, 1.3, 1.8))
write.csv(skewed, file.path(here, "data/ordinal_skewed.csv"), row.names = FALSE)

m <- "f =~ u1 + u2 + u3\nh =~ u4 + u5 + u6"
u <- paste0("u", 1:6)
ordinal <- c("u1", "u2", "u4", "u5")
all <- c("thresholds", "loadings", "intercepts")
fits <- list(
  groups_configural = cfa(m, mg, ordered = u, group = "g"),
  groups_scalar = cfa(m, mg, ordered = u, group = "g", group.equal = all),
  groups_scalar_theta = cfa(m, mg, ordered = u, group = "g", group.equal = all, parameterization = "theta"),
  groups_strict_theta = cfa(m, mg, ordered = u, group = "g", group.equal = c(all, "residuals"), parameterization = "theta"),
  mixed = cfa(m, mixed, ordered = ordinal),
  mixed_covariates = sem(paste0(m, "\nf + h ~ w + z"), mixed, ordered = ordinal),
  mixed_covariates_theta = sem(paste0(m, "\nf ~ w + z\nh ~ f + w"), mixed, ordered = ordinal, parameterization = "theta"),
  mixed_pairwise = cfa(m, gaps, ordered = ordinal, missing = "pairwise"),
  skewed = cfa(m, skewed, ordered = u),
  skewed_mvs = cfa(m, skewed, ordered = u, estimator = "WLSMVS")
)
keep <- c("npar", "chisq", "df", "chisq.scaled", "df.scaled", "pvalue.scaled", "chisq.scaling.factor", "baseline.chisq", "baseline.df",
          "baseline.chisq.scaled", "cfi", "tli", "cfi.scaled", "tli.scaled", "rmsea", "rmsea.scaled", "rmsea.ci.lower.scaled",
          "rmsea.ci.upper.scaled", "srmr", "crmr", "wrmr")
out <- lapply(fits, function(f) {
  pe <- parameterEstimates(f, remove.nonfree = FALSE); sd <- standardizedSolution(f)
  if (is.null(pe$group)) pe$group <- 1
  fm <- fitMeasures(f); keys <- intersect(keep, names(fm))
  list(keys = paste(pe$lhs, pe$op, pe$rhs, pe$group), est = pe$est, se = pe$se,
       std_keys = paste(sd$lhs, sd$op, sd$rhs, if (is.null(sd$group)) 1 else sd$group), std = sd$est.std, std_se = sd$se,
       fit = as.list(setNames(as.numeric(fm[keys]), keys)))
})
lrt <- lavTestLRT(fits$groups_configural, fits$groups_scalar)
out$lrt <- list(stat = lrt[2, "Chisq diff"], df = lrt[2, "Df diff"], p = lrt[2, "Pr(>Chisq)"])
out$package <- paste("lavaan", packageVersion("lavaan"))
writeLines(tojson(out), file.path(here, "ordinal.json"))
