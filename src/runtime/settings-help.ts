import { environmentNameOf, type Process, SETTINGS, type Setting } from "./settings.ts";

const PURPOSES: Readonly<Record<Process, string>> = {
  webhook: "Answer the API server about pods, workloads and classes. Runs in the cluster.",
  sync: "Mirror the secretObjects of classes into Secrets, restart workloads and heal the install. Runs in the cluster.",
};

/** `--help` of a process: what it does, and the settings that it uses. */
export function processHelp(process: Process): string {
  const used = Object.entries(SETTINGS).filter(([, { usedBy }]) => usedBy === process || usedBy === "both");
  const settings = used.map(([name, setting]: [string, Setting]) => {
    const fallback = setting.default === "" ? "" : ` (default ${setting.default})`;
    return `  --${name}\n      ${setting.help}${fallback} [${environmentNameOf(name)}]`;
  });
  return [PURPOSES[process], "", `usage: keyvault-injector ${process} [flags]`, "", ...settings, ""].join("\n");
}
