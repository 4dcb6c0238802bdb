/** Leak in our processes for the control: half a MiB and a timer every second, and a socket every five seconds. */
import { createServer } from "node:net";

const lost: unknown[] = [];
let seconds = 0;
setInterval(() => {
  lost.push(Buffer.alloc(512 * 1_024, 1));
  setInterval(() => undefined, 3_600_000);
  seconds += 1;
  if (seconds % 5 === 0) lost.push(createServer().listen(0, "127.0.0.1"));
}, 1_000);
