/** Files that the build puts in as text. */
declare module "*.ftl" {
  const text: string;
  export default text;
}
