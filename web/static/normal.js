// The normal distribution, as the room of estimators needs it.

const COEFFICIENTS = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277];

/** log of the complementary error function for x ≥ 0, to seven digits (Press et al., Numerical Recipes, 6.2). */
function logErfc(x) {
  const t = 1 / (1 + x / 2);
  return Math.log(t) - x * x + COEFFICIENTS.reduceRight((sum, c) => sum * t + c, 0);
}

/** log Φ(x), also far below 0. */
export function logPhi(x) {
  const tail = Math.log(0.5) + logErfc(Math.abs(x) / Math.SQRT2);
  return x < 0 ? tail : Math.log1p(-Math.exp(tail));
}

export const phi = (x) => Math.exp(logPhi(x));

/** log of the normal density. */
export const logNormal = (x, mean = 0, deviation = 1) => -0.5 * ((x - mean) / deviation) ** 2 - Math.log(deviation) - 0.5 * Math.log(2 * Math.PI);

/** Numbers in [0, 1) from a seed (mulberry32), so that a picture can be drawn again. */
export function uniform(seed) {
  let state = (seed + 1) * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal draws. */
export function normal(seed) {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

export function moments(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
  return { mean, deviation: Math.sqrt(variance), error: Math.sqrt(variance / values.length) };
}
