/** One way to install, as its reader does it. Each step resolves when what it asked for is in force. */
export interface Way {
  /** Definitions, product, driver and provider, rotating every three minutes, as the documentation's own command has it. */
  install(): Promise<void>;
  /** Rotation every ten seconds, which is the least that the worker takes. */
  change(): Promise<void>;
  /** From the version that is installed to the next one. */
  upgrade(): Promise<void>;
  /** Product, driver and provider. What the page says to do first is done first. */
  uninstall(): Promise<void>;
}

/** What is set at the installation, and what it is changed to. */
export const POLL = { installed: "3m", changed: "10s" } as const;
