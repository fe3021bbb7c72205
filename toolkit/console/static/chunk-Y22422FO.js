import{B as l}from"./chunk-HZSW7ZNI.js";function r({label:o,tall:n,children:e}){return l("section",{class:n?"scroll tall":"scroll","aria-label":o,tabIndex:0,children:e})}export{r as a};
