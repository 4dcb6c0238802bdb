/** Numbers that follow from a seed alone, so that a failing run can be had again. */
export interface Random {
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** Both ends included. */
  integer(from: number, to: number): number;
  /** `prefix` with a number that no other call got. */
  unique(prefix: string): string;
}

/** Mulberry32: 32 bits of state are ample for some thousand choices. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  let serial = 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    chance: (probability) => next() < probability,
    integer,
    pick: (values) => {
      const value = values[integer(0, values.length - 1)];
      if (value === undefined) throw new Error("nothing to pick from");
      return value;
    },
    unique: (prefix) => `${prefix}-${(serial += 1)}`,
  };
}
