import { z } from 'zod';

/**
 * Paths of the fields that a schema describes, `units[].profiles[].label`: objects and lists of them are gone into, all
 * else is one field. A schema that `named` holds is one field too.
 */
export function fieldsOfSchema(
  schema: unknown,
  named: ReadonlySet<unknown> = new Set(),
  path = '',
): string[] {
  if (!named.has(schema)) {
    if (
      schema instanceof z.ZodNullable ||
      schema instanceof z.ZodOptional ||
      schema instanceof z.ZodDefault ||
      schema instanceof z.ZodReadonly
    ) {
      return fieldsOfSchema(schema.unwrap(), named, path);
    }
    if (schema instanceof z.ZodPipe) return fieldsOfSchema(schema.in, named, path);
    if (schema instanceof z.ZodArray && isNest(schema.element, named)) {
      return fieldsOfSchema(schema.element, named, `${path}[]`);
    }
    if (schema instanceof z.ZodObject) {
      return Object.entries(schema.shape).flatMap(([key, own]) =>
        fieldsOfSchema(own, named, path === '' ? key : `${path}.${key}`),
      );
    }
  }
  return [path];
}

function isNest(schema: unknown, named: ReadonlySet<unknown>): boolean {
  if (named.has(schema)) return false;
  if (schema instanceof z.ZodPipe) return isNest(schema.in, named);
  if (schema instanceof z.ZodReadonly) return isNest(schema.unwrap(), named);
  if (schema instanceof z.ZodArray) return isNest(schema.element, named);
  return schema instanceof z.ZodObject;
}

/** The same of a value as it is in a file; every list of objects is gone through. */
export function fieldsOfValue(value: unknown, path = ''): string[] {
  const isObject = (x: unknown) => typeof x === 'object' && x !== null && !Array.isArray(x);
  const fields = isObject(value)
    ? Object.entries(value as object).flatMap(([key, own]) =>
        fieldsOfValue(own, path === '' ? key : `${path}.${key}`),
      )
    : Array.isArray(value) && value.some(isObject)
      ? value.flatMap((own) => fieldsOfValue(own, `${path}[]`))
      : [path];
  return [...new Set(fields)];
}
