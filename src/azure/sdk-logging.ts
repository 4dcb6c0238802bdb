import { setLogLevel } from "@azure/logger";

/**
 * Turns the SDK's own log off. It writes to stderr when `AZURE_LOG_LEVEL`, `TYPESPEC_RUNTIME_LOG_LEVEL` or `DEBUG` is set in the
 * environment, with request URLs, headers and account details in it; our log is the only one, and it holds none of them.
 */
export function silenceSdkLog(): void {
  // Without a level the SDK also clears whatever the environment switched on.
  setLogLevel();
}
