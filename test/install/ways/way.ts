/** One way to install, as a reader would do it. Each step resolves when its effect is in force. */
export interface Way {
  /** Installs CRDs, product, driver and provider, with a rotation interval of three minutes, as the documentation's own command does. */
  install(): Promise<void>;
  /** Changes the rotation interval to ten seconds, the shortest that the worker accepts. */
  change(): Promise<void>;
  /** Upgrades the installed version to the next one. */
  upgrade(): Promise<void>;
  /** Uninstalls product, driver and provider, after the preparation that the page requires. */
  uninstall(): Promise<void>;
}

/** Poll interval at the install, and after the change. */
export const POLL = { installed: "3m", changed: "10s" } as const;
