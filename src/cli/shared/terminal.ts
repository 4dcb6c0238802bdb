import { stripVTControlCharacters, styleText } from "node:util";

export type Colour = "bold" | "red" | "green" | "yellow" | "cyan";

/** Control characters move the cursor of a terminal, or end the line. Direction marks show text in another order. */
const OBEYED = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu;
const OBEYED_OR_BLANK = /[\p{Cc}\p{Cs}\p{Bidi_Control}\s]+/gu;

/** Cleans the text of others for one line. Also replaces long runs of blanks, which would start a new line of the terminal. */
export function oneLine(text: string): string {
  return text.replaceAll(OBEYED_OR_BLANK, " ").trim();
}

/**
 * A line for the terminal. Only the functions of this file create one. Each cleans what it inserts, so that the line contains no control
 * characters except those of this file's colours.
 */
class CleanLine {
  readonly #painted: string;

  constructor(painted: string) {
    this.#painted = painted;
  }

  /** Text with colours. */
  get painted(): string {
    return this.#painted;
  }

  /** Text without colours. */
  get text(): string {
    return stripVTControlCharacters(this.#painted);
  }
}

export type Line = CleanLine;

/** Part of a line: text, which is cleaned, or a line, which is clean already. */
export type TerminalPart = string | number | Line;

function cleaned(part: TerminalPart): string {
  return typeof part === "object" ? part.painted : oneLine(`${part}`);
}

/** Keeps the template's own text, and inserts the parts cleaned. */
export function line(texts: TemplateStringsArray, ...parts: readonly TerminalPart[]): Line {
  return new CleanLine(texts.map((text, index) => (index === 0 ? text : `${cleaned(parts[index - 1] ?? "")}${text}`)).join(""));
}

/** Paints a part in a colour of the terminal's own palette, which {@link shown} may remove. */
export function paint(colour: Colour, part: TerminalPart): Line {
  return new CleanLine(styleText(colour, cleaned(part), { validateStream: false }));
}

/** Fills up with blanks to the width. */
export function padded(part: TerminalPart, width: number): Line {
  const clean = line`${part}`;
  return new CleanLine(`${clean.painted}${" ".repeat(Math.max(0, width - clean.text.length))}`);
}

export function joined(parts: readonly TerminalPart[], separator: ", " | "  "): Line {
  return new CleanLine(parts.map(cleaned).join(separator));
}

/** Cleans one line whose blanks have a meaning, such as a line of YAML, and keeps the blanks. */
export function verbatim(text: string): Line {
  return new CleanLine(text.replaceAll(OBEYED, " "));
}

/** Returns the lines as text for standard output. */
export function shown(lines: readonly Line[], { hasColour }: { readonly hasColour: boolean }): string {
  return lines.map(({ painted, text }) => `${hasColour ? painted : text}\n`).join("");
}

/** Reports what the command is doing. */
export type ReportProgress = (what: string) => void;

export interface TerminalProgress {
  readonly report: ReportProgress;
  /** Clears the progress from the screen. */
  readonly end: () => void;
}

export const NO_PROGRESS: TerminalProgress = { report: () => undefined, end: () => undefined };

/** Time before the first progress, in milliseconds: a command that ends sooner shows none. */
const QUIET_MS = 1_000;

/** Moves to the start of the line, and clears it. */
const CLEAR = "\r\u001b[K";

export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** Width of the terminal: a longer text would leave a line behind. */
  readonly columns: number;
  readonly quietMs?: number;
}

/**
 * Shows progress in one line of a terminal, which it overwrites, once a command takes longer than a second. Intended for standard error,
 * because results use the other stream.
 */
export function createProgress({ write, columns, quietMs = QUIET_MS }: ProgressOptions): TerminalProgress {
  let [what, isShown, isEnded] = ["", false, false];
  const draw = (): void => write(`${CLEAR}${`… ${oneLine(what)}`.slice(0, Math.max(1, columns - 1))}`);
  const timer = setTimeout(() => {
    isShown = true;
    if (what !== "") draw();
  }, quietMs);
  timer.unref();
  return {
    report: (next) => {
      what = next;
      if (isShown && !isEnded) draw();
    },
    end: () => {
      clearTimeout(timer);
      if (isShown && !isEnded) write(CLEAR);
      isEnded = true;
    },
  };
}
