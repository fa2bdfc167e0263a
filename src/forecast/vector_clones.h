/* VECTOR_CLONES before a function of vector code: made twice, the second time for processors with wider vectors. */
#ifndef FORECAST_VECTOR_CLONES_H
#define FORECAST_VECTOR_CLONES_H

/*
 * Without contraction to fused operations the results are the same. Which of the two runs is found before the sanitizers have started, so
 * there is one alone with them.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VECTOR_CLONES
#endif

#endif
