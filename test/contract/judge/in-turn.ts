/** Two processes answer each case. More cases at a time would only wait for each other. */
const AT_A_TIME = 6;

/** Returns results in the order of the items, and runs `atATime` of them at the same time. */
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
