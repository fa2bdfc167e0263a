# The reference in the same run: R's ets() and thetaf() on every fortieth series of each group, seconds a series and the
# sMAPE and MASE beside which ours stand. usage: Rscript reference.R DIRECTORY
suppressMessages(library(forecast))
directory <- commandArgs(TRUE)[1]
rows <- function(name) lapply(strsplit(readLines(file.path(directory, name)), ",", fixed = TRUE), function(fields)
  list(id = fields[1], frequency = as.numeric(fields[2]), values = as.numeric(fields[-(1:2)])))
train <- rows("dev_train.csv")
test <- rows("dev_test.csv")
meta <- read.csv(file.path(directory, "meta.csv"))
group <- meta$group[meta$set == "dev"]
measure <- function(method, index) {
  one <- function(i) {
    y <- ts(train[[i]]$values, frequency = train[[i]]$frequency)
    actual <- test[[i]]$values
    seconds <- system.time(mean <- as.numeric(method(y, length(actual))$mean))[["elapsed"]]
    scale <- base::mean(abs(diff(as.numeric(y), lag = train[[i]]$frequency)))
    c(base::mean(200 * abs(actual - mean) / (abs(actual) + abs(mean)), na.rm = TRUE),
      base::mean(abs(actual - mean)) / scale, seconds)
  }
  rowMeans(sapply(index, one))
}
methods <- list(ets = function(y, h) forecast(ets(y), h = h), thetaf = function(y, h) thetaf(y, h = h))
cat("\n== R", as.character(getRversion()), "forecast", as.character(packageVersion("forecast")),
  "on every fortieth series: sMAPE, MASE, seconds a series\n")
for (g in unique(group)) {
  index <- which(group == g)
  index <- index[seq(1, length(index), by = 40)]
  for (name in names(methods)) {
    figures <- measure(methods[[name]], index)
    cat(sprintf("%-3s %-7s %8.4f %7.4f %8.4f\n", g, name, figures[1], figures[2], figures[3]))
  }
}
