suppressMessages(library(lavaan))
d <- read.csv("tests/reference/data/HS_missing10.csv")
m <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
f <- cfa(m, d, missing="fiml", estimator="MLR")
pe <- parameterEstimates(f)
num <- function(x) paste(ifelse(is.finite(x), formatC(x, digits=12, format="g"), "null"), collapse=", ")
fm <- fitMeasures(f); sc <- lavPredict(f)[1:12,]
cat(sprintf('{\n"package": "lavaan %s",\n"keys": [%s],\n"est": [%s],\n"se": [%s],\n"fit": {%s},\n"scores": [%s]\n}\n', packageVersion("lavaan"),
 paste0('"', pe$lhs, " ", pe$op, " ", pe$rhs, '"', collapse=", "), num(pe$est), num(pe$se),
 paste0('"', names(fm), '": ', sapply(fm, num), collapse=", "), paste0("[", apply(sc, 1, num), "]", collapse=", ")), file="tests/golden/hs_fiml_mlr.json")
