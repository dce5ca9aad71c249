console.log("shared 7")
