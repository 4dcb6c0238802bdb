/**
 * Resolves at Ctrl-C or SIGTERM, and keeps the process alive until then. One Ctrl-C arrives twice: from the terminal, and from the parent.
 * The handlers stay, so that the second one does not interrupt the clean-up.
 */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => undefined, 3_600_000);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        clearInterval(alive);
        resolve();
      });
    }
  });
}
