# Simulated data of the cases in models.R; run from the project folder: Rscript tests/golden/models_data.R
set.seed(20261)
out <- function(d, name) write.csv(round(d, 4), file.path("tests/golden/data", name), row.names = FALSE, na = "")
# bifactor: one general factor, three specific ones
n <- 400; g <- rnorm(n); s <- matrix(rnorm(3 * n), n)
lg <- c(.7, .6, .65, .6, .7, .55, .6, .65, .7); ls <- c(.5, .45, .4, .5, .4, .45, .4, .5, .45)
y <- sapply(1:9, function(k) lg[k] * g + ls[k] * s[, (k - 1) %/% 3 + 1] + rnorm(n, 0, .5))
colnames(y) <- paste0("b", 1:9); out(as.data.frame(y), "bifactor.csv")
# growth over five occasions with a covariate; drop-out at random and a skipped occasion
n <- 300; x <- rnorm(n); i <- 5 + .4 * x + rnorm(n); sl <- .5 + .2 * x + rnorm(n, 0, .3)
t <- sapply(0:4, function(k) i + k * sl + rnorm(n, 0, .7)); colnames(t) <- paste0("t", 1:5)
drop <- runif(n) < plogis(t[, 1] - 6); t[drop, 4:5] <- NA; t[runif(n) < .1, 3] <- NA
out(data.frame(t, x = x), "growth.csv")
# two groups with other gaps in each; two covariates; a mediator
n <- 360; grp <- rep(c(1, 2), c(160, 200)); z1 <- rnorm(n); z2 <- rbinom(n, 1, .5)
f1 <- .3 * z1 - .2 * z2 + rnorm(n, c(0, .3)[grp]); f2 <- .4 * f1 + .2 * z2 + rnorm(n, 0, .8)
lam <- c(1, .8, .9, 1, .7, .85)
q <- sapply(1:6, function(k) 3 + lam[k] * (if (k <= 3) f1 else f2) + rnorm(n, 0, c(.6, .8)[grp]))
colnames(q) <- paste0("q", 1:6)
q[grp == 1 & runif(n) < .2, 2] <- NA; q[grp == 2 & runif(n) < .25, 5:6] <- NA; q[grp == 2 & q[, 1] > 4, 3] <- NA
aux <- q[, 1] * .5 + ifelse(is.na(q[, 5]), 1, 0) + rnorm(n); aux[runif(n) < .05] <- NA
z1m <- z1; z1m[runif(n) < .12] <- NA
out(data.frame(q, z1 = z1, z2 = z2, z1m = z1m, aux1 = aux, aux2 = rowMeans(q, na.rm = TRUE) + rnorm(n), g = grp), "groups.csv")
