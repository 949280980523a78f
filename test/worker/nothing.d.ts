declare const nothing: never
export default nothing
