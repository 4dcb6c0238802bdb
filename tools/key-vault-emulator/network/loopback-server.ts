import type { Server } from "node:net";

import { EmulatorInputError } from "../input-error.ts";

export const LOOPBACK = "127.0.0.1";

/** Listens on loopback only, for port 0 on a free port. Resolves with the port. */
export function listenOnLoopback(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const busy = cause.code === "EADDRINUSE" ? `port ${port} is taken; choose another or 0 for a free one` : cause.message;
      reject(new EmulatorInputError(`cannot listen on ${LOOPBACK}:${port}: ${busy}`, { cause }));
    });
    server.listen(port, LOOPBACK, () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("the server has no TCP address"));
      else resolve(address.port);
    });
  });
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
