/** Plays what the simulation has found, `--orders` times each in another order of what happens at once. Exits with 1 where something is wrong. */
import "../time/install.ts";
import "../network/install.ts";
import { parseArgs } from "node:util";

const { FOUND } = await import("./found.ts");
const { play } = await import("./stage.ts");

const { values, positionals } = parseArgs({ allowPositionals: true, options: { orders: { type: "string" } } });
let right = 0;
let wrong = 0;
for (const { name, planted, minutes, mayList, cast, orders = 1, report } of FOUND.filter(
  (found) => positionals.length === 0 || positionals.includes(found.planted),
)) {
  for (let seed = 1; seed <= Number(values.orders ?? orders); seed += 1) {
    const [violation] = await play(report, { seed, minutes, mayList, cast });
    if (violation === undefined) right += 1;
    else wrong += 1;
    console.log(`${violation === undefined ? "holds" : "FAILS"} ${planted} order ${seed}: ${name}`);
    if (violation !== undefined) console.log(`      ${violation.invariant}: ${violation.text}`);
  }
}
console.log(`${right} passed, ${wrong} failed`);
process.exit(wrong === 0 ? 0 : 1);
