import { spellingAdvice } from "../../domain/spelling.ts";
import { type Command, CommandFailure, EXIT } from "../command.ts";
import { SCRIPTS, SHELLS } from "./scripts.ts";

/** Takes the commands from whoever lists them: this one is among them. */
export function completionOf(commands: () => readonly Command[]): Command {
  return {
    name: "completion",
    summary: "Print the script by which bash, zsh or fish completes commands and options.",
    usage: SHELLS.join("|"),
    details: [
      "bash: source <(keyvault-injector completion bash)",
      "zsh:  source <(keyvault-injector completion zsh), after compinit",
      "fish: keyvault-injector completion fish | source",
      "Write the line into the shell's start-up file to have it always.",
      "",
      "Exit code: 0, or 2 for another shell.",
    ],
    words: SHELLS,
    options: [],
    arguments: 1,
    run: async ({ arguments: [word] }) => {
      const shell = SHELLS.find((known) => known === word);
      if (shell !== undefined) return { code: EXIT.fine, output: SCRIPTS[shell](commands()), notes: [] };
      const said = word === undefined ? "name a shell" : `${JSON.stringify(word)} is no shell that has a script`;
      throw new CommandFailure(`${said}; ${spellingAdvice(word ?? "", SHELLS)}`);
    },
  };
}
