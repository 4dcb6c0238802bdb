/** Two processes answer each case; more at a time only wait for each other. */
const AT_A_TIME = 6;

/** Results in the order of the items; `atATime` of them are worked on together. */
export async function inTurn<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
  atATime = AT_A_TIME,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const entries = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, one] of entries) results[index] = await run(one);
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return results;
}
