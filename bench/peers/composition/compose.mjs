// node compose.mjs FILE ROUNDS: the reference composer, timed from text to supergraph as ours is; prints milliseconds and peak memory.
import fs from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const { parse } = require('graphql');
const { composeServices } = require('@apollo/composition');

const [file, rounds] = process.argv.slice(2);
const { subgraphs } = JSON.parse(fs.readFileSync(file, 'utf8'));
const ms = [];
for (let round = 0; round < Number(rounds); round += 1) {
  const start = performance.now();
  const result = composeServices(subgraphs.map((s) => ({ ...s, typeDefs: parse(s.typeDefs) })));
  ms.push(performance.now() - start);
  if (result.errors) {
    console.error(String(result.errors[0]));
    process.exit(1);
  }
}
console.log(JSON.stringify({ ms, peak_mb: process.resourceUsage().maxRSS / 1024 }));
