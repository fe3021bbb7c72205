import{l as o}from"./chunk-HZSW7ZNI.js";function i(e){o(()=>{document.title=`${e} \u2013 weather console`},[e])}export{i as a};
