/** Ends a `switch` over a closed union. A new member without a case is a compile error, and throws at run time. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
