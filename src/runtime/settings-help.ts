import { assertNever } from "../domain/assert-never.ts";
import { formatDuration } from "../domain/duration.ts";
import { environmentNameOf, type Process, type Setting, type SettingKind } from "./setting.ts";
import { SETTINGS } from "./settings.ts";

const PURPOSES: Readonly<Record<Process, string>> = {
  webhook: "Answer admission reviews of pods, workloads, and classes. Runs in the cluster.",
  sync: "Sync the secretObjects of classes to Secrets, restart workloads, and heal the install. Runs in the cluster.",
};

/** Returns the `--help` text of a process: its purpose, and the settings that it uses. */
export function processHelp(process: Process): string {
  const used = Object.entries(SETTINGS).filter(([, { usedBy }]) => usedBy === process || usedBy === "both");
  const settings = used.map(([name, setting]: [string, Setting]) => {
    const fallback = setting.default === "" ? "" : `(default ${setting.default})`;
    const words = [setting.help, syntaxOf(setting.type), fallback, `[${environmentNameOf(name)}]`].filter((part) => part !== "");
    return `  --${name}\n      ${words.join(" ")}`;
  });
  return [PURPOSES[process], "", `usage: keyvault-injector ${process} [flags]`, "", ...settings, ""].join("\n");
}

/** Returns the allowed values if they need more explanation than the sentence about the setting. `code` marks literal words. */
export function syntaxOf(type: SettingKind, code: (word: string) => string = (word) => word): string {
  const words = (all: readonly string[]): string => all.map((word) => code(word)).join(", ");
  switch (type.kind) {
    case "choice":
      return `One of ${words(type.choices)}.`;
    case "list":
      return type.choices === undefined ? "A comma-separated list." : `A comma-separated list of ${words(type.choices)}.`;
    case "eventQueues":
      return (
        `A comma-separated list of entries such as ${code("https://<account>.queue.core.windows.net/<queue>;identity=managed;clientID=<client id>")}; ` +
        `${code("identity")} is ${code("managed")} (the default), ${code("workload")}, or ${code("servicePrincipal")}.`
      );
    case "window":
      return (
        `${code("always")}, or one or more windows of the form ${code("<cron> for <duration> in <time zone>")}, separated by ${code(";")}, ` +
        `such as ${code("0 22 * * MON-FRI for 4h in Europe/Berlin")}.`
      );
    case "namespaces":
      return type.every === undefined ? "A comma-separated list." : `A comma-separated list, or ${code(type.every)}.`;
    case "duration": {
      const least = type.minimumMs === 0 ? "" : `, not below ${code(formatDuration(type.minimumMs))}`;
      const most = type.maximumMs === undefined ? "" : `, not above ${code(formatDuration(type.maximumMs))}`;
      return `A Go duration such as ${code("30s")} or ${code("1h30m")}${least}${most}.`;
    }
    case "port":
      return "0 picks any free port.";
    case "boolean":
    case "cloud":
    case "count":
    case "text":
      return "";
    default:
      return assertNever(type);
  }
}
