// A process without permission to start threads. It decodes two texts of one namespace in turn, and prints both outcomes.
import { DecodingThreads } from "../../src/pki/threads/decoding-threads.ts";
import { systemClock } from "../../src/runtime/clock.ts";

const threads = new DecodingThreads(systemClock);
const signal = AbortSignal.timeout(20_000);
for (let count = 0; count < 2; count++) {
  const decoded = threads.decode({ kind: "objects", text: "array: []" }, { namespace: "team", milliseconds: 1_000 }, signal);
  const outcome = await decoded.then(
    () => "decoded",
    (error: NodeJS.ErrnoException) => `rejected: ${error.code ?? error.name}`,
  );
  console.log(outcome);
}
await threads.close();
console.log("closed");
