/** Ends a `switch` over a closed union: a new member that nobody handles is a compile error, and a bug at run time. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
