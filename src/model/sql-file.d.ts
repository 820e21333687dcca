/** The text of the file. */
declare module "*.sql" {
  const text: string;
  export default text;
}
