/** One colour for one subgraph, in whatever plan it appears: its name chooses among hues a golden angle apart. */
export function hueOf(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 997;
  return Math.round((sum * 137.508) % 360);
}
