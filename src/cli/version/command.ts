import { toYaml } from "../manifest/yaml.ts";
import { answered, type Command, formatOf, reportOf, reportText } from "../shared/command.ts";

const FORMATS = ["text", "json", "yaml"] as const;

export const version: Command = {
  name: "version",
  summary: "Print only the version of this program.",
  usage: "",
  details: [
    "The command does not contact a cluster. For the versions of an install, use doctor -o json.",
    "",
    "json and yaml print one report.",
    "Exit code: 0; 2 for an invalid option.",
  ],
  examples: [{ result: "Print the version for a script", typed: "keyvault-injector version -o json" }],
  options: ["client", "output"],
  formats: FORMATS,
  hasJsonReport: true,
  arguments: 0,
  run: async ({ options }, { shipped }) => {
    const format = formatOf(options, FORMATS);
    if (format === "text") return answered(`${shipped.version}\n`);
    return answered(format === "json" ? reportText("version", shipped, {}) : toYaml(reportOf("version", shipped, {})));
  },
};
