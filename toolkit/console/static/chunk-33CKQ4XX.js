import{B as r,C as n,u as e}from"./chunk-HZSW7ZNI.js";function t({of:o}){return o.error instanceof e?r(n,{kind:"error",children:o.error.message}):null}export{t as a};
