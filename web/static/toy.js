// The one-dimensional problems of the third lesson: a missing label, and the logarithm of an average.
//
// y ~ Bernoulli(1/2), z | y ~ N(±2, 1), x | z ~ N(z, 1); the guide is q(z|x) = N(m, s²) and
// q(y=1|z) = Φ(z + b). What is estimated is the derivative by b of E Σ_y q(y|z) f(z, y).
import { logNormal, logPhi, moments, normal, phi, uniform } from "./normal.js";

const HALF = Math.log(0.5), INVERSE = (t) => Math.exp(logNormal(t) - logPhi(t));

/** log q(y|z), its derivative by b, and f(z, y), for y = 0 and y = 1. */
function both(z, { x, m, s, b }) {
  return [-1, 1].map((sign) => {
    const t = sign * (z + b), logQ = logPhi(t);
    const f = HALF + logNormal(z, 2 * sign) + logNormal(x, z) - logNormal(z, m, s) - logQ;
    return { q: Math.exp(logQ), slope: sign * INVERSE(t), f };
  });
}

const summed = (sides) => sides.reduce((sum, { q, slope, f }) => sum + q * slope * f - q * slope, 0);

/** The derivative itself, by the trapezoid rule over z. */
export function truth(toy) {
  const count = 2000, low = toy.m - 9 * toy.s, width = (18 * toy.s) / count;
  let sum = 0;
  for (let i = 0; i <= count; i += 1) {
    const z = low + i * width;
    sum += Math.exp(logNormal(z, toy.m, toy.s)) * summed(both(z, toy)) * (i % count ? 1 : 0.5);
  }
  return sum * width;
}

export const ESTIMATORS = { sum: "sum over y", score: "score function", without: "without it" };

/** Many estimates of each kind, each the mean of K draws. */
export function estimates(toy, draws, repeats, seed) {
  const z = normal(seed), u = uniform(seed + 7), found = { sum: [], score: [], without: [] };
  for (let i = 0; i < repeats; i += 1) {
    const mean = { sum: 0, score: 0, without: 0 };
    for (let k = 0; k < draws; k += 1) {
      const sides = both(toy.m + toy.s * z(), toy);
      const drawn = sides[u() < sides[1].q ? 1 : 0];
      mean.sum += summed(sides) / draws;
      mean.score += (drawn.f * drawn.slope - drawn.slope) / draws;
      mean.without += -drawn.slope / draws;
    }
    for (const name of Object.keys(found)) found[name].push(mean[name]);
  }
  return found;
}

/** log q(y=1|x) of q(y=1|z) = Φ(wz) and q(z|x) = N(mean, deviation²), in closed form. */
export const exact = ({ w, mean, deviation }) => logPhi((w * mean) / Math.sqrt(1 + (w * deviation) ** 2));

/** Its estimates by the logarithm of an average of K draws. */
export function averages({ w, mean, deviation }, draws, repeats, seed) {
  const z = normal(seed), found = [];
  for (let i = 0; i < repeats; i += 1) {
    let sum = 0;
    for (let k = 0; k < draws; k += 1) sum += phi(w * (mean + deviation * z()));
    found.push(Math.log(sum / draws));
  }
  return found;
}

/**
 * For each K: by how much the mean is too small, to first order too, and the deviation. The average itself is
 * unbiased, so its distance from the truth is taken off each estimate: the bias is seen with less noise.
 */
export function byDraws(toy, sizes, repeats, seed) {
  const right = exact(toy), q = averages(toy, 1, 4000, seed + 99).map(Math.exp), { mean, deviation } = moments(q);
  return sizes.map((size) => {
    const found = averages(toy, size, repeats, seed + size);
    const centred = found.map((each) => each - (Math.exp(each - right) - 1));
    return { size, bias: right - moments(centred).mean, first: (deviation / mean) ** 2 / (2 * size), deviation: moments(found).deviation };
  });
}
