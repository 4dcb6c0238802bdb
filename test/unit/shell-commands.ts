const KUBECTL = "annotate|apply|create|delete|describe|edit|exec|get|label|logs|patch|rollout|scale";
const OURS = "access|convert|dashboard|doctor|explain|grants|refresh|render|restore|uninstall|where";
/** A command that has started and not ended at the end of the text. */
const COMMAND = new RegExp(
  `(?:^|[\\s"'(])(?:kubectl (?:${KUBECTL})|keyvault-injector (?:${OURS})|helm (?:install|upgrade|uninstall)|az [a-z]+|node dist/main\\.js)\\b[^:;,]*$`,
);

/** Parts of the source that are not templates: comments, strings, and regular expressions (where a value can begin). */
const SKIPPED =
  /\/\/.*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|(?<=(?:[(,=:[!&|?{;]|\breturn)\s*)\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//y;

/** Returns the templates in a source that put text into a command without quoting it, as the text before the inserted value. */
export function unquotedCommands(source: string): readonly string[] {
  const found: string[] = [];
  let at = 0;
  const skip = (): boolean => {
    SKIPPED.lastIndex = at;
    const [skipped] = SKIPPED.exec(source) ?? [];
    at += skipped?.length ?? 0;
    return skipped !== undefined;
  };
  /** Reads code up to the closing brace. */
  const code = (): void => {
    for (let depth = 0; at < source.length; ) {
      if (skip()) continue;
      const letter = source[at];
      if (letter === "}" && depth === 0) return;
      if (letter === "{") depth += 1;
      if (letter === "}") depth -= 1;
      if (letter === "`") template(/(?<!\w)shell$/.test(source.slice(Math.max(0, at - 8), at)));
      else at += 1;
    }
  };
  const template = (isQuoting: boolean): void => {
    let before = "";
    for (at += 1; source[at] !== "`" && at < source.length; ) {
      if (source.startsWith("${", at)) {
        if (!isQuoting && COMMAND.test(before)) found.push(before);
        const start = at + 2;
        at = start;
        code();
        before += source.slice(start, at) === "program" ? "keyvault-injector" : "TEXT";
        at += 1;
      } else {
        const length = source[at] === "\\" ? 2 : 1;
        before += source.slice(at, at + length);
        at += length;
      }
    }
    at += 1;
  };
  while (at < source.length) {
    code();
    at += 1;
  }
  return found;
}
