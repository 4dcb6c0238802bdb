import { setLogLevel } from "@azure/logger";

/**
 * Turns the SDK's own log off. The SDK writes to stderr if `AZURE_LOG_LEVEL`, `TYPESPEC_RUNTIME_LOG_LEVEL` or `DEBUG` is set in the
 * environment, and its log contains request URLs, headers and account details. Our log is the only one, and it contains none of them.
 */
export function silenceSdkLog(): void {
  // Without a level, the SDK also clears the settings from the environment.
  setLogLevel();
}
