/** Parameters of a class that the worker alone reads. */
export const SECRET_DATA = "secretData";
export const OBJECT_SELECTORS = "objectSelectors";
