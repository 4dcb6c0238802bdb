/**
 * Planted for the rule on parameter objects: of these functions, `wideOptions`, `wideBySum`, and `wideRest` receive an object with
 * too many fields. Nothing calls them.
 */
interface Eight {
  readonly a: string;
  readonly b: string;
  readonly c: string;
  readonly d: string;
  readonly e: string;
  readonly f: string;
  readonly g: string;
  readonly now: () => number;
}

interface Nine extends Eight {
  readonly ninth: string | undefined;
}

type Tenth = Eight & { readonly ninth: string; readonly tenth: AbortSignal };

/** A data object with nine fields. */
interface Subject extends Omit<Nine, "now"> {
  readonly seen: ReadonlyMap<string, Date>;
}

/** A service: more methods than fields. */
interface Service {
  readonly a: string;
  readonly b: string;
  readonly c: string;
  readonly d: string;
  one(): void;
  two(): void;
  three(): void;
  four(): void;
  five(): void;
}

export function wideOptions(options: Nine | undefined): unknown {
  return options;
}

export const wideBySum = (options: Tenth): unknown => options;

export function wideRest({ ninth, ...others }: Tenth & { readonly eleventh: string }): unknown {
  return [ninth, others];
}

export function narrow(options: Eight, { a, b }: Nine, subject: Subject, service: Service): unknown {
  return [options, a, b, subject, service];
}
